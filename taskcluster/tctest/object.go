package tctest

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// objectService is the object service, as far as artifacts use it.
type objectService struct {
	mu     sync.Mutex
	byName map[string]*object
}

type object struct {
	project, uploadID, expires string
	hashes                     map[string]any
	finished                   bool
}

func objectMethods() []*method {
	const upload, download = "object:upload:<projectId>:<name>", "object:download:<name>"
	return []*method{
		{name: "createUpload", verb: "PUT", route: "/upload/<name>", input: "v1/create-upload-request.json", scopes: upload, handler: createUpload},
		{name: "finishUpload", verb: "POST", route: "/finish-upload/<name>", input: "v1/finish-upload-request.json", scopes: upload, handler: finishUpload},
		{name: "startDownload", verb: "PUT", route: "/start-download/<name>", input: "v1/download-object-request.json", scopes: download, handler: startDownload},
		{name: "object", verb: "GET", route: "/metadata/<name>", scopes: download, handler: objectMetadata},
		{name: "download", verb: "GET", route: "/download/<name>", scopes: download, handler: downloadObject},
	}
}

func createUpload(c *call) (any, error) {
	name := c.params["name"]
	if err := c.authorize(scope("object:upload:", c.str("projectId"), ":", name)); err != nil {
		return nil, err
	}
	hashes, _ := c.body["hashes"].(map[string]any)
	if hashes == nil {
		hashes = map[string]any{}
	}
	c.s.objects.mu.Lock()
	defer c.s.objects.mu.Unlock()
	if old := c.s.objects.byName[name]; old != nil && old.uploadID != c.str("uploadId") {
		return nil, conflict("Object already exists")
	}
	c.s.objects.byName[name] = &object{project: c.str("projectId"), uploadID: c.str("uploadId"), expires: c.str("expires"), hashes: hashes}
	return map[string]any{"projectId": c.str("projectId"), "uploadId": c.str("uploadId"), "expires": c.str("expires"),
		"uploadMethod": c.uploadMethod(name)}, nil
}

// uploadMethod accepts the first way that it knows of those proposed.
func (c *call) uploadMethod(name string) map[string]any {
	proposed, _ := c.body["proposedUploadMethods"].(map[string]any)
	if inline, ok := proposed["dataInline"].(map[string]any); ok {
		text, _ := inline["objectData"].(string)
		kind, _ := inline["contentType"].(string)
		data, _ := base64.StdEncoding.DecodeString(text)
		c.s.blobs.store(publicBucket+"/"+name, &blob{data: data, contentType: kind, modified: c.s.clock.Now()})
		return map[string]any{"dataInline": true}
	}
	put, ok := proposed["putUrl"].(map[string]any)
	if !ok {
		return map[string]any{}
	}
	kind, _ := put["contentType"].(string)
	length, _ := put["contentLength"].(float64)
	headers := map[string]string{"Content-Type": kind, "Content-Length": strconv.FormatInt(int64(length), 10), "Content-Encoding": "identity"}
	now := c.s.clock.Now()
	return map[string]any{"putUrl": map[string]any{"url": c.s.blobs.sign(c.s, http.MethodPut, publicBucket, name, now.Add(uploadLife)),
		"expires": stamp(now.Add(45 * time.Minute)), "headers": headers}}
}

func (c *call) object(need ...expression) (*object, error) {
	if err := c.authorize(allOf(need...)); err != nil {
		return nil, err
	}
	c.s.objects.mu.Lock()
	defer c.s.objects.mu.Unlock()
	o := c.s.objects.byName[c.params["name"]]
	if o == nil {
		return nil, notFound("Object \"%s\" not found", c.params["name"])
	}
	return o, nil
}

func (c *call) downloading() expression { return scope("object:download:", c.params["name"]) }

func finishUpload(c *call) (any, error) {
	o, err := c.object(scope("object:upload:", c.str("projectId"), ":", c.params["name"]))
	switch {
	case err != nil:
		return nil, err
	case o.uploadID != c.str("uploadId"):
		return nil, conflict("Object is not being uploaded under this uploadId")
	}
	c.s.objects.mu.Lock()
	defer c.s.objects.mu.Unlock()
	hashes, _ := c.body["hashes"].(map[string]any)
	for name, hash := range hashes {
		o.hashes[name] = hash
	}
	o.finished = true
	return struct{}{}, nil
}

func startDownload(c *call) (any, error) {
	o, err := c.object(c.downloading())
	if err != nil {
		return nil, err
	}
	accepted, _ := c.body["acceptDownloadMethods"].(map[string]any)
	at := c.s.blobs.sign(c.s, http.MethodGet, publicBucket, c.params["name"], c.s.clock.Now().Add(downloadLife))
	if _, ok := accepted["getUrl"]; ok {
		return map[string]any{"method": "getUrl", "url": at, "expires": stamp(c.s.clock.Now().Add(time.Minute)), "hashes": o.hashes}, nil
	}
	return map[string]any{"method": "simple", "url": at}, nil
}

func objectMetadata(c *call) (any, error) {
	o, err := c.object(c.downloading())
	if err != nil {
		return nil, err
	}
	return map[string]any{"projectId": o.project, "expires": o.expires, "hashes": o.hashes}, nil
}

func downloadObject(c *call) (any, error) {
	if _, err := c.object(c.downloading()); err != nil {
		return nil, err
	}
	at := c.s.blobs.sign(c.s, http.MethodGet, publicBucket, c.params["name"], c.s.clock.Now().Add(downloadLife))
	return reply{http.StatusSeeOther, map[string]string{"Location": at}, "See Other. Redirecting to " + at}, nil
}
