package order

import "time"

// DateForm is how dates are written in messages and in conditions: 2014-03-08.
const DateForm = time.DateOnly

// ParseDate reads a date: 20140308, or 2014-03-08 with any one of - _ . between its parts, as keys write it. ok is false for
// every other text, also for a date that the calendar does not have.
func ParseDate(s string) (date time.Time, ok bool) {
	if len(s) == len("2014-03-08") && s[4] == s[7] && (s[4] == '-' || s[4] == '_' || s[4] == '.') {
		s = s[:4] + s[5:7] + s[8:]
	}
	if len(s) != len("20140308") {
		return time.Time{}, false
	}
	date, err := time.Parse("20060102", s)
	return date, err == nil
}

// DateSpellings are the ways in which keys may write a date.
func DateSpellings(date time.Time) []string {
	return []string{date.Format("20060102"), date.Format(DateForm)}
}

// Day is the date at a moment, in UTC.
func Day(now time.Time) time.Time {
	year, month, day := now.UTC().Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}
