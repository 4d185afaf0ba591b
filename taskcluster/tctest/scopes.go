package tctest

import (
	"encoding/json"
	"slices"
	"strings"
)

// expression is a scope that a call needs, or all or any of several.
type expression struct {
	scope string
	allOf []expression
	anyOf []expression
}

func scope(parts ...string) expression { return expression{scope: strings.Join(parts, "")} }

func allOf(of ...expression) expression { return expression{allOf: of} }

func anyOf(of ...expression) expression { return expression{anyOf: of} }

func eachScope(prefix string, of []string) (all []expression) {
	for _, s := range of {
		all = append(all, scope(prefix, s))
	}
	return all
}

// missing is the part of e that set does not satisfy; ok when there is none.
func (e expression) missing(set scopeSet) (rest expression, ok bool) {
	switch {
	case e.scope != "":
		return e, set.has(e.scope)
	case e.anyOf != nil:
		for _, one := range e.anyOf {
			if _, ok := one.missing(set); ok {
				return expression{}, true
			}
		}
		return e, false
	}
	for _, one := range e.allOf {
		if part, ok := one.missing(set); !ok {
			rest.allOf = append(rest.allOf, part)
		}
	}
	if len(rest.allOf) == 1 {
		return rest.allOf[0], false
	}
	return rest, len(rest.allOf) == 0
}

func (e expression) tree() any {
	of, key := e.allOf, "AllOf"
	switch {
	case e.scope != "":
		return e.scope
	case e.anyOf != nil:
		of, key = e.anyOf, "AnyOf"
	}
	each := make([]any, len(of))
	for i, one := range of {
		each[i] = one.tree()
	}
	return map[string]any{key: each}
}

func (e expression) String() string {
	if e.scope != "" {
		return e.scope
	}
	text, _ := json.MarshalIndent(e.tree(), "", "  ")
	return string(text)
}

// scopeSet answers whether a scope is held: word for word, or by one that ends in a star.
type scopeSet struct {
	exact    map[string]bool
	prefixes []string
}

func newScopeSet(scopes []string) scopeSet {
	set := scopeSet{exact: make(map[string]bool, len(scopes))}
	for _, s := range scopes {
		set.exact[s] = true
		if prefix, ok := strings.CutSuffix(s, "*"); ok {
			set.prefixes = append(set.prefixes, prefix)
		}
	}
	return set
}

func (set scopeSet) has(s string) bool {
	if set.exact[s] {
		return true
	}
	return slices.ContainsFunc(set.prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

func (set scopeSet) hasAll(scopes []string) bool {
	return !slices.ContainsFunc(scopes, func(s string) bool { return !set.has(s) })
}

// list is the smallest sorted list of scopes that says the same.
func (set scopeSet) list() []string {
	list := []string{}
	for s := range set.exact {
		covered := slices.ContainsFunc(set.prefixes, func(p string) bool { return strings.HasPrefix(s, p) && s != p+"*" })
		if !covered {
			list = append(list, s)
		}
	}
	slices.Sort(list)
	return list
}

// expandRoles adds what the roles give that the scopes assume, and what those assume in turn.
func expandRoles(scopes []string, roles map[string][]string) scopeSet {
	seen := map[string]bool{}
	var all, queue []string
	add := func(s string) {
		if !seen[s] {
			seen[s] = true
			all, queue = append(all, s), append(queue, s)
		}
	}
	for _, s := range scopes {
		add(s)
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if s == "*" {
			return newScopeSet([]string{"*"})
		}
		assumed, ok := strings.CutPrefix(s, "assume:")
		if !ok {
			continue
		}
		for id, gives := range roles {
			if rest, ok := assumes(assumed, id); ok {
				for _, g := range gives {
					add(strings.ReplaceAll(g, "<..>", rest))
				}
			}
		}
	}
	return newScopeSet(all)
}

// assumes says whether assume:<held> gives the role id; rest is what its star stands for.
func assumes(held, id string) (rest string, ok bool) {
	if held == id {
		return strings.TrimSuffix(held, "*"), true
	}
	if prefix, star := strings.CutSuffix(held, "*"); star && strings.HasPrefix(id, prefix) {
		return "*", true
	}
	if prefix, star := strings.CutSuffix(id, "*"); star {
		return strings.CutPrefix(held, prefix)
	}
	return "", false
}
