package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/open"
	"github.com/tafc/tafc/index/service"
	"github.com/tafc/tafc/internal/redact"
)

const (
	serveRequest = 30 * time.Second // for a request to arrive
	serveGrace   = 10 * time.Second // for answers that have begun, once the end is asked for
	serveAtOnce  = 8                // answers; the others wait
)

func (a *app) indexServeVerb() *cobra.Command {
	var layoutText, table, addr string
	var s3 s3Flags
	c := &cobra.Command{
		Use:   "serve SOURCE",
		Short: "Answer the ancestors' index service protocol over a source",
		Long: "POST /files with {\"filter\": FILTER.JSON}, or GET /files?filter=…, answers {\"files\": […], \"row_count\": N}, " +
			"with ?shape=rows a list of rows with sizes. 404 means that nothing matches. It runs until it is interrupted.",
		Example: "  tafc index serve sqlite:index.db -addr 127.0.0.1:8080",
		Args:    positional(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			h := &service.Handler{}
			if layoutText != "" {
				var err error
				if h.Layout, err = index.ParseLayout(layoutText); err != nil {
					return usageError("-layout: %w", err)
				}
			}
			bucket, err := s3.of(args[0])
			if err != nil {
				return err
			}
			h.Open = func(ctx context.Context) (index.Source, error) {
				return open.Open(ctx, args[0], open.Options{Table: table, Layout: layoutText, S3: bucket})
			}
			src, err := h.Open(c.Context()) // a source that is not there is an error now
			if err != nil {
				return sourceError(err)
			}
			if err := src.Close(); err != nil {
				return err
			}
			return a.serve(c.Context(), h, redact.URLs(args[0]), addr)
		},
	}
	c.Flags().StringVar(&addr, "addr", "127.0.0.1:8080", "address to listen on; port 0 takes a free one")
	c.Flags().StringVar(&layoutText, "layout", "", "how keys are built (default: what the source records, or found from the keys)")
	c.Flags().StringVar(&table, "table", "", "table of a database that tafc did not write")
	s3.add(c.Flags())
	return c
}

// serve answers until ctx ends.
func (a *app) serve(ctx context.Context, h *service.Handler, source, addr string) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return usageError("-addr: %w", err)
	}
	log := &accessLog{app: a}
	h.Failed = func(err error) { log.printf("error: %v", err) }
	mux := http.NewServeMux()
	mux.Handle("/files", atOnce(serveAtOnce, h))
	server := &http.Server{
		Handler: log.wrap(mux), ReadTimeout: serveRequest, BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	fmt.Fprintf(a.streams.Out, "%s at http://%s/files\n", source, l.Addr())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), serveGrace)
	defer cancel()
	if err := server.Shutdown(grace); errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return nil
}

// atOnce lets so many requests in at once; the others wait as long as their clients do.
func atOnce(n int, h http.Handler) http.Handler {
	slots := make(chan struct{}, n)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			h.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
}

// accessLog prints a line for each request.
type accessLog struct {
	app *app
	mu  sync.Mutex
}

func (l *accessLog) printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.app.streams.Err, time.Now().UTC().Format(time.RFC3339)+" "+format+"\n", args...)
}

func (l *accessLog) wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		counted := &countingWriter{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(counted, r)
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			host = r.RemoteAddr
		}
		l.printf("%s %s %q %d %d bytes %s", host, r.Method, r.URL.Path, counted.status, counted.bytes, time.Since(began).Round(time.Millisecond))
	})
}

// countingWriter remembers what was answered.
type countingWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *countingWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
