package dockerconfig

import (
	"hash/maphash"
	"iter"
	"slices"
)

// Entry is an entry of `auths` as the runner's reader sees it: of duplicates the last, at the place of the first.
type Entry struct {
	// Member has the entry's key (decoded, as the runner compares it), its place, and the value, which may be of
	// any kind.
	Member
	// Index counts from 0 in the order in which the runner's reader tries the entries.
	Index int

	// The fields that the runner's reader knows; nil where absent. null counts as absent to all readers, and is
	// given here all the same.
	Auth, Username, Password, ServerAddress, IdentityToken, RegistryToken *Member
}

// Entries returns the entries of the `auths` that counts (exactly this spelling, of several the last) in the order
// in which the runner's reader tries them. It makes a new slice at each call.
func (f *File) Entries() []Entry {
	if f == nil {
		return nil
	}
	entries := make([]Entry, len(f.auths))
	for i := range f.auths {
		entries[i] = f.entry(i)
	}
	return entries
}

// Len is how many entries Entries returns.
func (f *File) Len() int {
	if f == nil {
		return 0
	}
	return len(f.auths)
}

// EntryAt returns the entry that has the index.
func (f *File) EntryAt(index int) Entry { return f.entry(index) }

// Keys yields the entries' keys in their order, each with its index.
func (f *File) Keys() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i := range f.Len() {
			if !yield(i, string(f.key(f.auths[i]))) {
				return
			}
		}
	}
}

// entryRef is where an entry stands: of a hundred thousand, only those that somebody asks for are made.
type entryRef struct {
	key, keyEnd, start, end uint32
	kind                    Kind
}

func (f *File) indexEntries() []entryRef {
	auths, ok := f.Member("auths")
	if !ok {
		return nil
	}
	return f.lastWins(f.remember(auths.Value))
}

// index is where the members of an object stand, so that asking for them does not mean to read all of it again.
type index struct {
	start, end int
	refs       []entryRef
}

func (i index) each(f *File, visit func(Member) bool) {
	for _, ref := range i.refs {
		value := Value{ref.kind, f, int(ref.start), int(ref.end)}
		if !visit(Member{string(f.key(ref)), value, int(ref.key), int(ref.keyEnd)}) {
			return
		}
	}
}

// mostRemembered bounds the members of the file itself that are remembered: there are some twenty, and there may be
// millions.
const mostRemembered = 100_000

// remember makes the index of an object, and returns what is in it.
func (f *File) remember(object Value) []entryRef {
	var refs []entryRef
	for m := range object.Members() {
		refs = append(refs, entryRef{
			uint32(m.keyStart), uint32(m.keyEnd), uint32(m.Value.start),
			uint32(m.Value.end), m.Value.Kind,
		})
		if object == f.Root && len(refs) > mostRemembered {
			return nil
		}
	}
	if object.Kind == Object {
		f.indices = append(f.indices, index{object.start, object.end, refs})
	}
	return refs
}

// lastWins leaves of entries with one key the last, at the place of the first: so does a map in Java that keeps its
// order.
func (f *File) lastWins(refs []entryRef) []entryRef {
	if !f.hasTwins(refs) {
		return refs
	}
	place := make(map[string]int, len(refs))
	kept := make([]entryRef, 0, len(refs))
	for _, ref := range refs {
		key := string(f.key(ref))
		if at, ok := place[key]; ok {
			kept[at] = ref
			continue
		}
		place[key] = len(kept)
		kept = append(kept, ref)
	}
	return kept
}

// hasTwins tells whether two keys may be the same, in little memory.
func (f *File) hasTwins(refs []entryRef) bool {
	seed := maphash.MakeSeed()
	hashes := make([]uint64, len(refs))
	for i, ref := range refs {
		hashes[i] = maphash.Bytes(seed, f.key(ref))
	}
	slices.Sort(hashes)
	return len(slices.Compact(hashes)) < len(refs)
}

func (f *File) entry(index int) Entry {
	ref := f.auths[index]
	e := Entry{Index: index}
	e.keyStart, e.keyEnd = int(ref.key), int(ref.keyEnd)
	e.Key = string(f.key(ref))
	e.Value = Value{ref.kind, f, int(ref.start), int(ref.end)}
	for m := range e.Value.Members() {
		e.take(m)
	}
	return e
}

// key is an entry's key without a copy where there is nothing to decode.
func (f *File) key(ref entryRef) []byte {
	kind := String
	if quoteAt(f.Source.Text, int(ref.key)) == 0 {
		kind = Literal
	}
	return Value{kind, f, int(ref.key), int(ref.keyEnd)}.bytes()
}

func (e *Entry) take(m Member) {
	switch m.Key {
	case "auth":
		e.Auth = &m
	case "username":
		e.Username = &m
	case "password":
		e.Password = &m
	case "serveraddress":
		e.ServerAddress = &m
	case "identitytoken":
		e.IdentityToken = &m
	case "registrytoken":
		e.RegistryToken = &m
	}
}
