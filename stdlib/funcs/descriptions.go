package funcs

import "github.com/zclconf/go-cty/cty/function"

// descriptions are of functions from libraries that have none.
var descriptions = map[string]string{
	"base64decode": "Decodes Base64 that holds text.",
	"base64encode": "Encodes text as Base64.",
	"can":          "Tells whether an expression can be evaluated.",
	"cidrhost":     "The address of a host in a network: cidrhost(\"10.0.0.0/8\", 3) is 10.0.0.3.",
	"cidrnetmask":  "The mask of a network: cidrnetmask(\"10.0.0.0/8\") is 255.0.0.0.",
	"cidrsubnet":   "A network inside a network: cidrsubnet(\"10.0.0.0/8\", 8, 2) is 10.2.0.0/16.",
	"cidrsubnets":  "Networks inside a network, one after the other, each so many bits smaller.",
	"md5":          "The MD5 digest of a text in hexadecimal.",
	"sha1":         "The SHA-1 digest of a text in hexadecimal.",
	"sha256":       "The SHA-256 digest of a text in hexadecimal.",
	"sha512":       "The SHA-512 digest of a text in hexadecimal.",
	"try":          "The value of the first of several expressions that can be evaluated.",
	"urlencode":    "Escapes text for the query of a URL.",
	"uuidv5":       "The UUID of a name in a namespace (dns, url, oid, x500, or a UUID), always the same.",
	"yamldecode":   "The value that a YAML document holds.",
	"yamlencode":   "A value as a YAML document.",
}

// describe adds the descriptions that are missing.
func describe(table map[string]function.Function) {
	for name, text := range descriptions {
		f := table[name]
		params := make([]string, len(f.Params()))
		for i, p := range f.Params() {
			params[i] = p.Description
		}
		if p := f.VarParam(); p != nil {
			params = append(params, p.Description)
		}
		table[name] = f.WithNewDescriptions(text, params)
	}
}
