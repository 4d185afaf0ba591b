package index

import "encoding/binary"

const hexDigits = "0123456789abcdef"

// unhex is the value of a lower-case hexadecimal digit, 255 for other bytes.
var unhex = func() (table [256]byte) {
	for i := range table {
		table[i] = 255
	}
	for i := range len(hexDigits) {
		table[hexDigits[i]] = byte(i)
	}
	return table
}()

// AppendPacked appends a text in a form that takes half the room when it is lower-case hexadecimal digits, as most ETags are: twice the
// number of bytes that follow, plus one when they are packed digits, as a uvarint; then the bytes.
func AppendPacked(to, text []byte) []byte {
	start := len(to)
	if len(text) > 0 && len(text)%2 == 0 {
		to = binary.AppendUvarint(to, uint64(len(text)/2)<<1|1)
		bad := byte(0)
		for i := 0; i < len(text); i += 2 {
			high, low := unhex[text[i]], unhex[text[i+1]]
			bad |= high | low
			to = append(to, high<<4|low)
		}
		if bad < 16 {
			return to
		}
		to = to[:start]
	}
	to = binary.AppendUvarint(to, uint64(len(text))<<1)
	return append(to, text...)
}

// AppendUnpacked appends the text that packed begins with, and returns how many bytes of packed it takes: 0 when packed is cut off.
func AppendUnpacked(to, packed []byte) (text []byte, size int) {
	head, n := binary.Uvarint(packed)
	length := head >> 1
	if n <= 0 || length > uint64(len(packed)-n) {
		return to, 0
	}
	end := n + int(length)
	if head&1 == 0 {
		return append(to, packed[n:end]...), end
	}
	for _, b := range packed[n:end] {
		to = append(to, hexDigits[b>>4], hexDigits[b&15])
	}
	return to, end
}
