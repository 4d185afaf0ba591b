package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// goal is how much faster a subject is to be than each of some others, of which the fastest counts.
type goal struct {
	subject string
	than    []string
	times   float64
}

// mapGoals are the targets of the mapping benchmark. A number below 1 allows the subject to be slower.
var mapGoals = []goal{
	{runJSON, []string{poolJSON, xargsPython}, 1.15},
	{runOrjson, []string{poolJSON, xargsPython}, 1.8},
	{runFields, []string{poolJSON, xargsPython}, 4},
	{runLast, []string{poolJSON, xargsPython}, 4},
	{runFields, []string{duckSQL}, 1},
	{runLast, []string{duckSQL}, 1},
	{runNative, []string{decompressed}, 1 / 1.2},
	{runNative, []string{duckSQL}, 2},
	{runNode, []string{xargsNode}, 1.15},
	{runLines, []string{xargsPython}, 1},
	{runBytes, []string{xargsBytes}, 1},
	{readXZ, []string{toolXZ}, 1 / 1.1},
	{readLZMA, []string{toolLZMA}, 1 / 1.1},
}

// goals writes what is known of each target: the median over the rounds of the time of the fastest peer by that of the subject in the same round.
func goals(report *strings.Builder, subjects []*subject) {
	byName := map[string]*subject{}
	for _, s := range subjects {
		byName[s.name] = s
	}
	report.WriteString("| | times as fast as | median of paired runs | least–most | wanted | |\n|---|---|---:|---:|---:|---|\n")
	for _, g := range mapGoals {
		than := slices.DeleteFunc(slices.Clone(g.than), func(name string) bool { return byName[name] == nil })
		if byName[g.subject] == nil || len(than) == 0 {
			continue
		}
		best := slices.MinFunc(than, func(a, b string) int {
			return int(median(byName[a].samples, wall) - median(byName[b].samples, wall))
		})
		ratios := make([]float64, len(byName[best].samples))
		for i, peer := range byName[best].samples {
			ratios[i] = ratio(peer.wall, byName[g.subject].samples[i].wall)
		}
		slices.Sort(ratios)
		n := len(ratios)
		middle := (ratios[(n-1)/2] + ratios[n/2]) / 2
		verdict := "met"
		if middle < g.times {
			verdict = "**missed**"
		}
		fmt.Fprintf(report, "| %s | %s | %.2f | %.2f–%.2f | %.2f | %s |\n", g.subject, best, middle, ratios[0], ratios[n-1], g.times, verdict)
	}
	report.WriteString("\n")
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
