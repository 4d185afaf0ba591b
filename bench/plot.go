package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// plot draws microseconds a file over the number of files, both logarithmic, as SVG.
func plot(points []point) []byte {
	const width, height, left, top, right, bottom = 640, 360, 60, 20, 20, 46
	lines := []struct {
		name, colour string
		of           func(point) time.Duration
	}{
		{"tafc plan, from nothing", "#1f77b4", func(p point) time.Duration { return p.Cold }},
		{"tafc plan, index unchanged", "#2ca02c", func(p point) time.Duration { return p.Warm }},
		{"reading the rows", "#7f7f7f", func(p point) time.Duration { return p.Raw }},
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range points {
		for _, l := range lines {
			v := math.Log10(perFile(l.of(p), p.Files))
			low, high = min(low, math.Floor(v)), max(high, math.Ceil(v))
		}
	}
	first, last := math.Log10(float64(points[0].Files)), math.Log10(float64(points[len(points)-1].Files))
	x := func(files float64) float64 {
		return left + (files-first)/max(last-first, 1)*(width-left-right)
	}
	y := func(v float64) float64 { return height - bottom - (v-low)/(high-low)*(height-top-bottom) }
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&s, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	for v := low; v <= high; v++ {
		fmt.Fprintf(&s, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%g µs</text>`+"\n",
			left, y(v), width-right, y(v), left-6, y(v)+4, math.Pow(10, v))
	}
	for v := math.Ceil(first); v <= last; v++ {
		fmt.Fprintf(&s, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">10^%g</text>`+"\n",
			x(v), top, x(v), height-bottom, x(v), height-bottom+16, v)
	}
	fmt.Fprintf(&s, `<text x="%d" y="%d" text-anchor="middle">files</text>`+"\n", (left+width-right)/2, height-8)
	for i, l := range lines {
		var path []string
		for _, p := range points {
			px, py := x(math.Log10(float64(p.Files))), y(math.Log10(perFile(l.of(p), p.Files)))
			path = append(path, fmt.Sprintf("%.1f,%.1f", px, py))
			fmt.Fprintf(&s, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", px, py, l.colour)
		}
		fmt.Fprintf(&s, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(path, " "), l.colour)
		fmt.Fprintf(&s, `<text x="%d" y="%d" text-anchor="end" fill="%s">%s</text>`+"\n", width-right-6, top+16*(i+1), l.colour, l.name)
	}
	s.WriteString("</svg>\n")
	return []byte(s.String())
}
