package bundle

import "slices"

// jsFunctions finds what a module exports that is a function, in CommonJS and as ES module.
func jsFunctions(tokens []token) map[string]Function {
	m := &jsModule{tokens: withoutEnds(tokens), locals: map[string]Function{}, exports: map[string]Function{}}
	m.declarations()
	for i, t := range m.tokens {
		switch {
		case t.depth != 0 || t.kind != name || at(m.tokens, i-1).is("."):
		case t.text == "export":
			m.export(i + 1)
		case t.text == "exports":
			m.assign(i, i+1)
		case t.text == "module" && at(m.tokens, i+1).is(".") && at(m.tokens, i+2).is("exports"):
			m.assign(i, i+3)
		}
	}
	return m.exports
}

// jsModule holds one jsFunctions.
type jsModule struct {
	tokens  []token
	locals  map[string]Function // declared at top level
	exports map[string]Function
}

// declarations finds function NAME(…) and const|let|var NAME = … at top level.
func (m *jsModule) declarations() {
	for i, t := range m.tokens {
		if t.depth != 0 || t.kind != name {
			continue
		}
		switch t.text {
		case "function":
			j := i + 1
			if at(m.tokens, j).is("*") {
				j++
			}
			if at(m.tokens, j).kind == name && at(m.tokens, j+1).is("(") {
				f := m.params(j + 1)
				f.Line = t.line
				m.locals[m.tokens[j].text] = f
			}
		case "const", "let", "var":
			if at(m.tokens, i+1).kind == name && at(m.tokens, i+2).is("=") {
				m.bind(m.locals, m.tokens[i+1].text, i+3, t.line)
			}
		}
	}
}

// export reads what stands behind the keyword export.
func (m *jsModule) export(i int) {
	t := at(m.tokens, i)
	switch {
	case t.is("async") || t.is("function"):
		for at(m.tokens, i).is("async") || at(m.tokens, i).is("function") || at(m.tokens, i).is("*") {
			i++
		}
		m.copyLocal(at(m.tokens, i).text, at(m.tokens, i).text, t.line)
	case t.is("const") || t.is("let") || t.is("var"):
		m.copyLocal(at(m.tokens, i+1).text, at(m.tokens, i+1).text, t.line)
	case t.is("{"):
		stop := closing(m.tokens, i)
		from := at(m.tokens, stop+1).is("from")
		for j := i + 1; j < stop; j++ {
			local := m.tokens[j]
			as := local
			if at(m.tokens, j+1).is("as") {
				as = at(m.tokens, j+2)
				j += 2
			}
			if at(m.tokens, j+1).is(",") {
				j++
			}
			if _, known := m.locals[local.text]; from || !known {
				m.exports[as.text] = Function{Variadic: true, Line: local.line} // from another module
				continue
			}
			m.copyLocal(local.text, as.text, local.line)
		}
	}
}

func (m *jsModule) copyLocal(local, as string, line int) {
	if f, ok := m.locals[local]; ok {
		f.Line = line
		m.exports[as] = f
	}
}

// assign reads exports.NAME = value, exports['NAME'] = value and module.exports = {…}; i is behind exports.
func (m *jsModule) assign(start, i int) {
	switch {
	case at(m.tokens, i).is(".") && at(m.tokens, i+1).kind == name && at(m.tokens, i+2).is("="):
		m.bind(m.exports, m.tokens[i+1].text, i+3, m.tokens[start].line)
	case at(m.tokens, i).is("[") && at(m.tokens, i+1).kind == text && at(m.tokens, i+2).is("]") && at(m.tokens, i+3).is("="):
		m.bind(m.exports, m.tokens[i+1].text, i+4, m.tokens[start].line)
	case at(m.tokens, i).is("=") && at(m.tokens, i+1).is("{"):
		m.object(i + 1)
	}
}

// object reads the members of the object literal whose { is at i as exports.
func (m *jsModule) object(i int) {
	stop := closing(m.tokens, i)
	inner := m.tokens[i].depth + 1
	for j := i + 1; j < stop; {
		for at(m.tokens, j).is("async") && !at(m.tokens, j+1).is(":") && !at(m.tokens, j+1).is(",") || at(m.tokens, j).is("*") {
			j++
		}
		key := at(m.tokens, j)
		if key.kind == name || key.kind == text {
			switch next := at(m.tokens, j+1); {
			case next.is(":"):
				m.bind(m.exports, key.text, j+2, key.line)
			case next.is("("):
				f := m.params(j + 1)
				f.Line = key.line
				m.exports[key.text] = f
			case next.is(",") || j+1 == stop:
				m.copyLocal(key.text, key.text, key.line)
			}
		}
		for j < stop && !(m.tokens[j].depth == inner && m.tokens[j].is(",")) {
			j++
		}
		j++
	}
}

// bind sets a name to the value at i, when that is a function or may be one.
func (m *jsModule) bind(names map[string]Function, as string, i, line int) {
	f, ok := m.value(i)
	if !ok {
		return
	}
	f.Line = line
	names[as] = f
}

// value is the function that the expression at i is.
func (m *jsModule) value(i int) (Function, bool) {
	if at(m.tokens, i).is("async") && !at(m.tokens, i+1).is("=>") {
		i++
	}
	t := at(m.tokens, i)
	next := at(m.tokens, i+1)
	switch {
	case t.is("function"):
		for i++; i < len(m.tokens) && !m.tokens[i].is("("); i++ {
		}
		return m.params(i), true
	case t.is("("):
		if stop := closing(m.tokens, i); at(m.tokens, stop+1).is("=>") {
			return m.params(i), true
		}
		return Function{Variadic: true}, true
	case t.kind != name: // a number, a text, an object
		return Function{}, false
	case next.is("=>"):
		return Function{Params: 1}, true
	case t.is("exports") && next.is(".") && !at(m.tokens, i+3).is("."):
		return m.known(m.exports, at(m.tokens, i+2).text, at(m.tokens, i+3), i+3)
	case t.is("module") && next.is(".") && at(m.tokens, i+2).is("exports") && at(m.tokens, i+3).is("."):
		return m.known(m.exports, at(m.tokens, i+4).text, at(m.tokens, i+5), i+5)
	case t.is("null") || t.is("undefined") || t.is("true") || t.is("false") || t.is("new"):
		return Function{}, false
	}
	return m.known(m.locals, t.text, next, i+1)
}

// known is the function of that name. What is behind the name (a call, a member) makes it something that cannot be seen.
func (m *jsModule) known(names map[string]Function, n string, behind token, i int) (Function, bool) {
	f, ok := names[n]
	if slices.ContainsFunc([]string{"(", ".", "["}, behind.is) && at(m.tokens, i-1).line == behind.line {
		return Function{Variadic: true}, true
	}
	if !ok {
		return Function{Variadic: true}, true
	}
	return f, true
}

// params counts the parameters between the brackets of which the first is at i.
func (m *jsModule) params(i int) Function {
	var f Function
	if i >= len(m.tokens) {
		return f
	}
	stop := closing(m.tokens, i)
	inner := m.tokens[i].depth + 1
	for j := i + 1; j < stop; {
		first, optional := m.tokens[j], false
		for j < stop && !(m.tokens[j].depth == inner && m.tokens[j].is(",")) {
			optional = optional || m.tokens[j].depth == inner && m.tokens[j].is("=")
			j++
		}
		j++
		if first.is(".") { // ...rest
			f.Variadic = true
			continue
		}
		f.Params++
		if optional {
			f.Optional++
		}
	}
	return f
}
