package dockerconfig

import (
	"iter"

	"runner-preflight/checks/source"
)

// Kind is what a value is.
type Kind uint8

// The kinds. A value of kind Literal is something unquoted that JSON does not know, in a text with a SyntaxError.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
	Literal
)

func (k Kind) String() string {
	return [...]string{
		"nothing", "null", "a boolean", "a number", "a string", "an array", "an object",
		"a bare word",
	}[k]
}

// Value is a stretch of the text that is a value. It is looked into when somebody asks: its members are not kept.
type Value struct {
	Kind       Kind
	file       *File
	start, end int
}

// Place is where the value stands, quotes and brackets included.
func (v Value) Place() source.Span {
	if v.file == nil {
		return source.Span{}
	}
	return v.file.Source.At(v.start, v.end)
}

// Text is a string's decoded text, and any other scalar as written; "" for objects, arrays and null. It may be a
// secret.
func (v Value) Text() string { return string(v.bytes()) }

// Member is a key of an object with its value.
type Member struct {
	// Key is the decoded key.
	Key string
	// Value is what stands behind the colon.
	Value Value

	keyStart, keyEnd int
}

// KeyPlace is where the key stands, quotes included.
func (m Member) KeyPlace() source.Span {
	if m.Value.file == nil {
		return source.Span{}
	}
	return m.Value.file.Source.At(m.keyStart, m.keyEnd)
}

// Members yields an object's members in file order, duplicates included; none for other kinds.
func (v Value) Members() iter.Seq[Member] {
	return func(yield func(Member) bool) { v.eachMember(yield) }
}

// Elements yields an array's values; none for other kinds.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) { v.eachElement(yield) }
}

// Member returns the member that has the key, in exactly this spelling; of several the last.
func (v Value) Member(key string) (Member, bool) {
	var last Member
	found := false
	for m := range v.Members() {
		if m.Key == key {
			last, found = m, true
		}
	}
	return last, found
}
