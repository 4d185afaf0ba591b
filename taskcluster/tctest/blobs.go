package tctest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	publicBucket  = "public-bucket"
	privateBucket = "private-bucket"
)

// blobStore plays the S3 that artifacts are put into: addresses are signed, what is stored comes back with the headers it came with.
type blobStore struct {
	key string

	mu   sync.RWMutex
	blob map[string]*blob // by bucket/key
}

type blob struct {
	data                         []byte
	contentType, contentEncoding string
	modified                     time.Time
}

func newBlobStore() *blobStore { return &blobStore{key: slug(), blob: map[string]*blob{}} }

func (b *blobStore) url(s *Server, bucket, key string) string {
	return s.RootURL + (&url.URL{Path: "/storage/" + bucket + "/" + key}).EscapedPath()
}

// sign is an address that is good for one verb until expiry.
func (b *blobStore) sign(s *Server, verb, bucket, key string, expiry time.Time) string {
	until := strconv.FormatInt(expiry.Unix(), 10)
	return b.url(s, bucket, key) + "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=" + until +
		"&X-Amz-Signature=" + b.signature(verb, bucket+"/"+key, until)
}

func (b *blobStore) signature(verb, path, until string) string {
	return hex.EncodeToString(mac(b.key, verb+"\n"+path+"\n"+until))
}

func (b *blobStore) serve(s *Server, w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/storage/")
	verb := r.Method
	if verb == http.MethodHead {
		verb = http.MethodGet
	}
	query := r.URL.Query()
	until := query.Get("X-Amz-Expires")
	expiry, _ := strconv.ParseInt(until, 10, 64)
	open := verb == http.MethodGet && strings.HasPrefix(path, publicBucket+"/") && until == ""
	switch {
	case r.Header.Get("Authorization") != "":
		storageError(w, http.StatusBadRequest, "InvalidArgument", "Only one auth mechanism allowed; the X-Amz-Algorithm query parameter, "+
			"Signature query string parameter or the Authorization header should be specified")
	case open:
		b.get(w, r, path)
	case query.Get("X-Amz-Signature") != b.signature(verb, path, until):
		storageError(w, http.StatusForbidden, "AccessDenied", "Access Denied")
	case s.clock.Now().Unix() > expiry:
		storageError(w, http.StatusForbidden, "AccessDenied", "Request has expired")
	case verb == http.MethodPut:
		b.put(s, w, r, path)
	default:
		b.get(w, r, path)
	}
}

func storageError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
}

func (b *blobStore) put(s *Server, w http.ResponseWriter, r *http.Request, path string) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		storageError(w, http.StatusBadRequest, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
		return
	}
	b.store(path, &blob{data, r.Header.Get("Content-Type"), r.Header.Get("Content-Encoding"), s.clock.Now()})
	w.WriteHeader(http.StatusOK)
}

func (b *blobStore) store(path string, data *blob) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.blob[path] = data
}

func (b *blobStore) load(path string) *blob {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.blob[path]
}

func (b *blobStore) get(w http.ResponseWriter, r *http.Request, path string) {
	data := b.load(path)
	if data == nil {
		storageError(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	}
	if data.contentEncoding != "" {
		w.Header().Set("Content-Encoding", data.contentEncoding)
	}
	w.Header().Set("Content-Type", data.contentType)
	http.ServeContent(w, r, "", data.modified, bytes.NewReader(data.data))
}
