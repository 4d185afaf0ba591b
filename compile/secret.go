package compile

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"github.com/tafc/tafc/lang"
)

// Secret is an environment variable whose value is in no graph, plan, spec or state. Exactly one of Name and Digest is set.
type Secret struct {
	Env    string `json:"env"`
	Name   string `json:"name,omitempty"`   // of the secret, when the value is known only where the task runs
	Digest string `json:"digest,omitempty"` // of a sensitive value of the analysis: SensitiveDigest
}

// digestRounds make it slow to try values until one has a digest that is known: about 0.1 s each.
const digestRounds = 200_000

// SensitiveDigest stands for a sensitive value in a task's key. The same variable with the same value has the same digest
// everywhere, so that results can be shared; what the value is cannot be read from it, only guessed, and slowly.
func SensitiveDigest(env, value string) string {
	key, err := pbkdf2.Key(sha256.New, value, []byte("tafc-sensitive/1\x00"+env), digestRounds, 16)
	if err != nil {
		panic(err) // of a length that is constant
	}
	return hex.EncodeToString(key)
}

func secrets(s *lang.Stage) []Secret {
	var out []Secret
	for _, env := range slices.Sorted(maps.Keys(s.Secrets)) {
		out = append(out, Secret{Env: env, Name: s.Secrets[env]})
	}
	for _, env := range slices.Sorted(maps.Keys(s.Sensitive)) {
		out = append(out, Secret{Env: env, Digest: SensitiveDigest(env, s.Sensitive[env])})
	}
	return out
}

// component is what a result depends on: which secret it is, not its value, so that a new password runs nothing again.
func (x Secret) component() Component {
	if x.Digest != "" {
		return Component{"env " + x.Env, "sensitive " + x.Digest}
	}
	return Component{"secret " + x.Env, x.Name}
}
