// Package hawk signs requests as Taskcluster's services check them: a header (Authorization: Hawk …) for calls, and a bewit, which is part
// of a URL, for whoever is to read that URL without credentials.
//
// Both are a MAC over the request's time, method, path with query as sent, host and port, and an extension. The content is not part of it:
// services do not ask for that, and would have to be sent a digest of what they are going to read anyway.
package hawk
