// Package bundle gathers the user's code of one stage, the entry file with what it imports from its own folder and what the
// analysis lists, and addresses it by content. It reads the code without running it: a small lexer for Python and one for
// JavaScript find the imports, the top-level functions and how many parameters they take.
package bundle
