package view

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// count is a number with its noun: "1 file", "1,204 files".
func count[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return humanize.Comma(int64(n)) + " " + noun + "s"
}

func number[N int | int64](n N) string { return humanize.Comma(int64(n)) }

// bytes is a size for people: 3.1 GiB.
func bytes(n int64) string { return humanize.IBytes(uint64(max(0, n))) }

// duration is a time for people: 0.4 s, 12 s, 3 min 5 s, 2 h 4 min.
func duration(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

// tail is the end of a long key: …/20140301030203.20140308.v2.log.0ab8….lzma.
func tail(key string, width int) string {
	if len([]rune(key)) <= width {
		return key
	}
	base := path.Base(key)
	if r := []rune(base); len(r) > width-2 {
		half := (width - 3) / 2
		return "…/" + string(r[:half]) + "…" + string(r[len(r)-half:])
	}
	return "…/" + base
}

// clip cuts a line to a width.
func clip(s string, width int) string {
	r := []rune(s)
	if len(r) <= width {
		return s
	}
	return strings.TrimRight(string(r[:width-1]), " ") + "…"
}

func pad(s string, width int) string {
	if n := len([]rune(s)); n < width {
		return s + strings.Repeat(" ", width-n)
	}
	return s
}
