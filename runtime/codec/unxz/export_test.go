package unxz

// NewChecksum64 is the checksum for tests.
func NewChecksum64() *checksum64 { return &checksum64{} }
