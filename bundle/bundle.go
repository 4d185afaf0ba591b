package bundle

// Bundle is the user's code, addressed by its content. It is immutable.
type Bundle struct {
	Entry     string              // slash path of the entry file inside the bundle
	Language  string              // python, javascript, or program (run as it is)
	Files     []File              // sorted by path
	Functions map[string]Function // of the entry file, by name; empty for a program
}

// File is one file of a bundle.
type File struct {
	Path       string // slash-separated, relative to the analysis' folder
	Digest     string // SHA-256 of Data, hex
	Executable bool
	Data       []byte
}

// Function is a top-level function of the entry file, found without running it.
type Function struct {
	Params   int // declared positional parameters
	Variadic bool
	Line     int
}

// Problem is what is wrong with the code, with its place.
type Problem struct {
	Code    string // such as bundle/missing-file
	Path    string // file it is about, relative to the analysis
	Line    int    // from 1, 0 when unknown
	Summary string
	Detail  string
	Warning bool
}
