package source

import "sort"

// Piece is a stretch of a text that is written in another file: as it stands there, or in another form (escaped, in
// base64) of which only the whole can be pointed at in proportion.
type Piece struct {
	// Start is where the piece begins in the embedded text; it reaches to the start of the next.
	Start int
	// Outer is where it is written.
	Outer Span
}

// embedding says where a file's text is written.
type embedding struct {
	outer  *File
	pieces []Piece
}

// Embed makes a file of a text that is written within this one: in a block of YAML, in a quoted string, in base64. A
// place in it is a place of this file, an excerpt shows this file's line, and what is hidden in it is hidden here. The
// pieces are in order and cover the text; without any the text stands nowhere in particular, at the file itself.
func (f *File) Embed(text []byte, pieces []Piece) *File {
	inner := New(f.Path, text)
	inner.within = &embedding{f, pieces}
	return inner
}

// Outermost is the place in the file that the user has: the span itself unless its file is embedded.
func (s Span) Outermost() Span {
	for s.File != nil && s.File.within != nil {
		s = s.File.within.outside(s)
	}
	return s
}

// outside is where a span of the embedded text is written in the file around it.
func (e *embedding) outside(s Span) Span {
	if s.Start < 0 || len(e.pieces) == 0 {
		return e.outer.Whole()
	}
	first := e.place(s.File, s.Start)
	if s.End <= s.Start {
		return e.outer.At(first, first)
	}
	last := e.place(s.File, s.End-1)
	return e.outer.At(first, max(last+1, first))
}

// place is where one byte is written: in proportion where the piece is written in a longer or shorter form.
func (e *embedding) place(inner *File, offset int) int {
	i := max(sort.Search(len(e.pieces), func(i int) bool { return e.pieces[i].Start > offset })-1, 0)
	piece, end := e.pieces[i], len(inner.Text)
	if i+1 < len(e.pieces) {
		end = e.pieces[i+1].Start
	}
	length, written := end-piece.Start, piece.Outer.End-piece.Outer.Start
	if length <= 0 || written <= 0 {
		return piece.Outer.Start
	}
	within := min(max(offset-piece.Start, 0), length)
	return piece.Outer.Start + int(int64(within)*int64(written)/int64(length))
}
