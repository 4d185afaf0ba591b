package main

import (
	"fmt"
	"strconv"
	"strings"
)

// record is one line: an id, a TAB and the JSON of a session of an application of these dimensions. Some have a TAB or spaces
// between the tokens of their JSON, some have ids that are no UUIDs, some lack fields.
func record(r random, d dims, o options) []byte {
	target := r.between(o.size*(100-o.spread)/100, o.size*(100+o.spread)/100)
	b := make([]byte, 0, target+1024)
	b = append(b, id(r)...)
	b = append(b, '\t', '{')
	switch {
	case r.chance(20):
		b = append(b, "\"ver\":2,\t"...)
	case r.chance(30):
		b = append(b, `"ver": 2, `...)
	default:
		b = append(b, `"ver":2,`...)
	}
	var end []byte
	if o.last {
		end = info(r, d, []byte{','})
		end = end[:len(end)-1]
	} else {
		b = info(r, d, b)
	}
	if !r.chance(10) {
		b = simpleMeasurements(r, b)
	}
	if r.chance(300) {
		b = slowSQL(r, b)
	}
	b = histograms(r, b, target-len(end))
	return append(append(b, end...), "}\n"...)
}

func id(r random) string {
	if r.chance(10) {
		return "submission-" + r.hex(40)
	}
	return strings.Join([]string{r.hex(8), r.hex(4), "4" + r.hex(3), "8" + r.hex(3), r.hex(12)}, "-")
}

// The shares are told by repetition.
var (
	systems  = []string{"WINNT", "WINNT", "WINNT", "WINNT", "WINNT", "WINNT", "WINNT", "Darwin", "Darwin", "Linux"}
	versions = map[string][]string{
		"WINNT": {"6.1", "6.1", "6.1", "6.2", "6.3", "5.1", "6.0"}, "Darwin": {"13.1.0", "12.5.0", "11.4.2"},
		"Linux": {"3.11.0-17-generic", "3.13.5-101.fc19.x86_64", "3.2.0-4-amd64"}, "Android": {"16", "17", "19"},
	}
	locales  = []string{"en-US", "en-US", "en-US", "de", "fr", "ru", "ja", "pl", "pt-BR", "zh-CN", "es-ES", "el", "uk"}
	personas = []string{"Frühling", "Zażółć gęślą jaźń", "夜の狐", "Лиса", "🦊 on fire", "tabs\\tand \\\"quotes\\\"", "<b>&amp;</b>", "naïve café", "α→ω"}
	adapters = []string{"Intel(R) HD Graphics 4000", "NVIDIA GeForce GTX 660", "AMD Radeon HD 7700 Series", "Mesa DRI Intel(R) Ivybridge Mobile", "Adreno (TM) 320"}
)

// info is what the session says of its computer. Reason and the like are as the client wrote them, not as the keys spell them.
func info(r random, d dims, b []byte) []byte {
	system := pick(r, systems)
	if d.app == "Fennec" {
		system = "Android"
	}
	b = append(b, `"info":{`...)
	str := func(key, value string) { b = append(b, fmt.Sprintf(`"%s":"%s",`, key, value)...) }
	num := func(key string, value int) { b = append(b, fmt.Sprintf(`"%s":%d,`, key, value)...) }
	str("reason", strings.ReplaceAll(d.reason, "_", "-"))
	// Idle sessions come from older code that did not always know where it ran.
	if d.reason != "idle_daily" || !r.chance(8) {
		str("OS", system)
	}
	str("version", pick(r, versions[system]))
	str("appID", "{"+"ec8030f7-c20a-464f-9b0e-13a3a9e97384"+"}")
	str("appName", d.app)
	str("appVersion", d.version)
	str("appBuildID", d.build)
	str("appUpdateChannel", strings.ReplaceAll(d.channel, "_", "-"))
	str("platformBuildID", d.build)
	if !r.chance(40) {
		str("locale", pick(r, locales))
	}
	num("cpucount", 1<<r.below(4))
	if !r.chance(50) {
		num("memsize", pick(r, []int{1004, 1979, 2014, 3062, 4038, 8086, 16301}))
	}
	str("arch", pick(r, []string{"x86", "x86", "x86-64"}))
	str("adapterDescription", pick(r, adapters))
	if r.chance(120) {
		str("persona", pick(r, personas))
	}
	if r.chance(30) {
		b = append(b, `"flashVersion":null,`...)
	}
	num("addonsCount", r.small(40))
	b[len(b)-1] = '}'
	return append(b, ',')
}

// simpleMeasurements is milliseconds since the start of the process; a session that was never painted has no firstPaint.
func simpleMeasurements(r random, b []byte) []byte {
	start := r.between(2, 60)
	main := start + r.between(10, 400)
	paint := main + r.between(200, 1600) + r.small(16)*r.between(100, 700)
	restored := paint + r.between(20, 900)
	b = append(b, `"simpleMeasurements":{`...)
	num := func(key string, value int) {
		b = append(append(append(append(b, '"'), key...), `":`...), strconv.Itoa(value)...)
		b = append(b, ',')
	}
	num("start", start)
	num("main", main)
	num("selectProfile", main+r.between(1, 30))
	if !r.chance(50) {
		num("createTopLevelWindow", main+r.between(30, 200))
		num("firstPaint", paint)
		num("sessionRestored", restored)
	}
	num("uptime", r.small(4096))
	num("savedPings", r.small(8))
	if r.chance(600) {
		num("shutdownDuration", r.between(150, 4000))
	}
	b = append(b, `"startupInterrupted":`...)
	b = strconv.AppendInt(b, int64(r.below(10)/9), 10)
	return append(b, "},"...)
}

var statements = []string{
	"SELECT * FROM moz_places WHERE url = ?", "UPDATE moz_historyvisits SET visit_date = ? WHERE id = ?",
	"DELETE FROM moz_cookies WHERE name = ? AND host = ?", "INSERT INTO moz_formhistory VALUES (?, ?, ?)",
}

func slowSQL(r random, b []byte) []byte {
	b = append(b, `"slowSQL":{"mainThread":{},"otherThreads":{`...)
	first := r.below(len(statements))
	for n := range r.between(1, 2) {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, fmt.Sprintf(`"%s":[%d,%d]`, statements[(first+n)%len(statements)], r.between(1, 9), r.between(100, 5000))...)
	}
	return append(b, "}},"...)
}

// histogramName is the i-th name, in the order in which sessions write them.
func histogramName(i int) string {
	subjects := []string{"GC", "CYCLE_COLLECTOR", "HTTP_PAGE", "DNS_LOOKUP", "CACHE_DISK", "PLACES", "IMAGE_DECODE", "SPDY", "TELEMETRY", "MEMORY", "STARTUP", "EVENTLOOP", "FX_TAB", "NETWORK", "SHUTDOWN", "WEBGL"}
	measures := []string{"MS", "COUNT", "KB", "ENABLED", "SLICE_MS", "LATENCY", "HIT_RATE", "PERCENT", "FORGET_SKIPPABLE", "TOTAL", "MAX_PAUSE", "REASON"}
	n := len(subjects) * len(measures)
	name := subjects[i%len(subjects)] + "_" + measures[i/len(subjects)%len(measures)]
	if i >= n {
		name += "_" + strconv.Itoa(i/n+1)
	}
	return name
}

// histograms fills the record up to the target: buckets, mostly empty, then sum and the log and square sums, -1 where not kept.
func histograms(r random, b []byte, target int) []byte {
	b = append(b, `"histograms":{`...)
	for i := 0; len(b) < target-40; i++ {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), histogramName(i)...), `":[`...)
		buckets := []int{3, 10, 20, 25, 50}[i*7%5]
		hot := r.below(buckets)
		sum := 0
		for k := range buckets {
			count := 0
			if k == hot || k == hot+1 {
				count = r.small(64)
			}
			sum += count * k
			b = append(strconv.AppendInt(b, int64(count), 10), ',')
		}
		b = strconv.AppendInt(b, int64(sum), 10)
		if i%3 == 0 {
			b = append(b, ",-1,-1,"...)
			b = strconv.AppendInt(b, int64(sum*sum), 10)
			b = append(b, ",0]"...)
		} else {
			b = append(b, ",-1,-1,-1,-1]"...)
		}
	}
	return append(b, '}')
}
