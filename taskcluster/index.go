package taskcluster

import (
	"context"
	"iter"
	"net/http"
	"strings"
)

// index is Index over HTTP.
type index struct {
	*caller
	many many
}

var _ Index = (*index)(nil)

func (x *index) Ping(ctx context.Context) error { return ping(ctx, x.caller, "index") }

func (x *index) FindTask(ctx context.Context, indexPath string) (*IndexedTask, error) {
	return x.entry(ctx, call{name: "findTask", subject: indexPath, method: http.MethodGet, path: pathOf("/task/", indexPath)})
}

func (x *index) InsertTask(ctx context.Context, namespace string, request *InsertTaskRequest) (*IndexedTask, error) {
	return x.entry(ctx, call{name: "insertTask", subject: namespace, method: http.MethodPut, path: pathOf("/task/", namespace), body: request})
}

func (x *index) entry(ctx context.Context, k call) (*IndexedTask, error) {
	result := new(IndexedTask)
	k.service, k.result = "index", result
	if _, err := x.do(ctx, k); err != nil {
		return nil, err
	}
	return result, nil
}

func (x *index) DeleteTask(ctx context.Context, namespace string) error {
	_, err := x.do(ctx, call{service: "index", name: "deleteTask", subject: namespace, method: http.MethodDelete, path: pathOf("/task/", namespace)})
	return err
}

type indexPage struct {
	Tasks             []IndexedTask `json:"tasks"`
	ContinuationToken string        `json:"continuationToken"`
}

func (p *indexPage) entries() ([]IndexedTask, string) { return p.Tasks, p.ContinuationToken }

func (x *index) ListTasks(ctx context.Context, namespace string, limit int) iter.Seq2[IndexedTask, error] {
	k := call{service: "index", name: "listTasks", subject: namespace, method: http.MethodGet, path: pathOf("/tasks/", namespace)}
	return pages(ctx, x.caller, k, limit, (*indexPage).entries)
}

func (x *index) ListNamespaces(ctx context.Context, namespace string, limit int) iter.Seq2[Namespace, error] {
	type page struct {
		Namespaces        []Namespace `json:"namespaces"`
		ContinuationToken string      `json:"continuationToken"`
	}
	k := call{service: "index", name: "listNamespaces", subject: namespace, method: http.MethodGet, path: pathOf("/namespaces/", namespace)}
	return pages(ctx, x.caller, k, limit, func(p *page) ([]Namespace, string) { return p.Namespaces, p.ContinuationToken })
}

func (x *index) FindTasksAtIndex(ctx context.Context, indexPaths []string) (map[string]IndexedTask, error) {
	single := func(ctx context.Context, path string) (IndexedTask, bool, error) {
		found, ok, err := optional(x.FindTask(ctx, path))
		if !ok {
			return IndexedTask{}, false, err
		}
		return *found, true, nil
	}
	found, err := lookUp(ctx, x.many, "index", "findTasksAtIndex", indexPaths, x.findBatch, single)
	for path, entry := range found {
		if !entry.Expires.After(x.now()) { // the call for many finds them all the same
			delete(found, path)
		}
	}
	return found, err
}

func (x *index) findBatch(ctx context.Context, paths []string) (map[string]IndexedTask, error) {
	found := make(map[string]IndexedTask, len(paths))
	var dotted []string
	for _, path := range paths {
		if strings.Contains(path, ".") {
			dotted = append(dotted, path)
			continue
		}
		entry, ok, err := optional(x.FindTask(ctx, path)) // the call for many never finds these
		if err != nil {
			return nil, err
		}
		if ok {
			found[path] = *entry
		}
	}
	if len(dotted) == 0 {
		return found, nil
	}
	k := call{service: "index", name: "findTasksAtIndex", method: http.MethodPost, path: "/tasks/indexes", body: map[string][]string{"indexes": dotted}}
	for entry, err := range pages(ctx, x.caller, k, 0, (*indexPage).entries) {
		if err != nil {
			return nil, err
		}
		found[entry.Namespace] = entry
	}
	return found, nil
}

func (x *index) FindArtifactFromTask(ctx context.Context, indexPath, name string) (*ArtifactContent, error) {
	k := call{service: "index", name: "findArtifactFromTask", subject: indexPath + " " + name, method: http.MethodGet, path: pathOf("/task/", indexPath, "/artifacts/", name)}
	return x.redirect(ctx, k, indexPath, name)
}
