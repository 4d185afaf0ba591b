package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/tafc/tafc/internal/atomicfile"
)

// Holder says who holds the lock of a state.
type Holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	User    string    `json:"user"`
	Command string    `json:"command"` // the purpose given to Lock, such as "apply"
	Since   time.Time `json:"since"`
}

// HeldError is the error of Lock when somebody else holds it. PID is 0 when it cannot be known who.
type HeldError struct {
	Holder
	Dir string // of the state, as it was given to Open
}

func (e *HeldError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("another tafc is using %s; wait for it", e.Dir)
	}
	since := e.Since.Local()
	form := "15:04:05"
	if time.Since(since) > 12*time.Hour {
		form = "2006-01-02 15:04:05"
	}
	return fmt.Sprintf("another tafc %s (pid %d on %s, since %s) is using %s; wait for it, or stop it with: tafc cancel",
		e.Command, e.PID, e.Host, since.Format(form), e.Dir)
}

// Lock is the right to change a state. The kernel releases it when the process ends, however it ends.
type Lock struct {
	db    *DB
	flock *flock.Flock
}

// lockPatience covers the moments in which Holder looks at the lock and a holder's file is being written.
const lockPatience = 500 * time.Millisecond

// Lock takes the right to change the state, for a purpose such as "apply". It does not wait: the error is a *HeldError when
// another process (or another DB of this one) holds it.
func (db *DB) Lock(purpose string) (*Lock, error) {
	db.held.Lock()
	defer db.held.Unlock()
	if db.lock != nil {
		return nil, fmt.Errorf("lock %s: this process already holds it", db.name)
	}
	fl := flock.New(filepath.Join(db.dir, "lock"))
	for deadline := time.Now().Add(lockPatience); ; time.Sleep(10 * time.Millisecond) {
		ok, err := fl.TryLock()
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", db.name, err)
		}
		if ok {
			break
		}
		if time.Now().After(deadline) {
			fl.Close()
			held := &HeldError{Dir: db.name}
			if h, err := db.readHolder(); err == nil {
				held.Holder = *h
			}
			return nil, held
		}
	}
	l := &Lock{db: db, flock: fl}
	if err := db.writeHolder(purpose); err != nil {
		fl.Close()
		return nil, fmt.Errorf("lock %s: %w", db.name, err)
	}
	db.lock = l
	return l, nil
}

// Release gives the lock back. Further calls do nothing.
func (l *Lock) Release() error {
	l.db.held.Lock()
	defer l.db.held.Unlock()
	if l.db.lock != l {
		return nil
	}
	l.db.lock = nil
	if err := os.Remove(l.db.holderPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.flock.Close()
		return fmt.Errorf("unlock %s: %w", l.db.name, err)
	}
	if err := l.flock.Close(); err != nil {
		return fmt.Errorf("unlock %s: %w", l.db.name, err)
	}
	return nil
}

// Locked tells whether this DB holds the lock.
func (db *DB) Locked() bool { return db.current() != nil }

func (db *DB) current() *Lock {
	db.held.Lock()
	defer db.held.Unlock()
	return db.lock
}

// Holder says who holds the lock, or nil when nobody does.
func (db *DB) Holder() (*Holder, error) {
	if db.Locked() {
		return db.readHolder()
	}
	for deadline := time.Now().Add(lockPatience); ; time.Sleep(10 * time.Millisecond) {
		fl := flock.New(filepath.Join(db.dir, "lock"))
		free, err := fl.TryRLock()
		fl.Close()
		if err != nil {
			return nil, fmt.Errorf("read the lock of %s: %w", db.name, err)
		}
		if free {
			return nil, nil
		}
		// Held, but its holder may not have written its name yet.
		if h, err := db.readHolder(); err == nil || time.Now().After(deadline) {
			return h, err
		}
	}
}

func (db *DB) holderPath() string { return filepath.Join(db.dir, "holder.json") }

func (db *DB) readHolder() (*Holder, error) {
	b, err := os.ReadFile(db.holderPath())
	if err != nil {
		return nil, fmt.Errorf("read who holds %s: %w", db.name, err)
	}
	var h Holder
	if err := json.Unmarshal(b, &h); err != nil {
		return nil, fmt.Errorf("read who holds %s: %w", db.name, err)
	}
	return &h, nil
}

func (db *DB) writeHolder(purpose string) error {
	h := Holder{PID: os.Getpid(), Command: purpose, Since: time.Now()}
	h.Host, _ = os.Hostname() // only for the message
	if u, err := user.Current(); err == nil {
		h.User = u.Username
	}
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(db.holderPath(), b, 0o644)
}
