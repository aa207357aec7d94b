package report

import (
	"cmp"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
)

// anchor is the place in a file that a finding is shown at: its own, else that of the image that it is about, else where
// the runner's own image stands in the definition, else the definition. False means that there is no such file.
func (r Report) anchor(f entry) (source.Span, bool) {
	if isFile(f.Location) {
		return f.Location, true
	}
	var own, whole source.Span
	for _, runner := range r.Runners {
		if len(f.Runners) > 0 && !slices.Contains(f.Runners, runner.Name) {
			continue
		}
		for _, image := range runner.Images {
			switch {
			case !isFile(image.Place):
			case concerns(f.Finding, image):
				return image.Place, true
			case image.Role == string(checks.RoleRunner) && own.File == nil:
				own = image.Place
			}
		}
		if whole.File == nil {
			whole = runner.Place
		}
	}
	if isFile(own) {
		return own, true
	}
	return whole, isFile(whole)
}

// concerns tells whether a finding is about an image: by its role, its reference or its registry.
func concerns(f checks.Finding, image Image) bool {
	if f.Subject == image.Role {
		return true
	}
	return slices.ContainsFunc(f.Touches, func(touch string) bool {
		address, host := strings.CutPrefix(touch, checks.HostPort(""))
		return touch == checks.Reference(image.Reference) ||
			host && strings.HasPrefix(image.Reference, strings.TrimSuffix(address, ":443")+"/")
	})
}

// isFile tells a place in a file from standard input, the environment and nowhere.
func isFile(place source.Span) bool {
	return place.File != nil && place.File.Path != "" && !strings.HasPrefix(place.File.Path, "<")
}

// relative is a path as those spell it who count from the top of a repository.
func relative(path string) string { return clean(filepath.ToSlash(filepath.Clean(path))) }

// shownPath is the relative path of a place's file, as text; it is never empty.
func shownPath(at source.Span) string { return cmp.Or(oneLine(relative(at.File.Path)), tool) }

// uri is a path as a URI: relative for what may lie in a repository, with a scheme for what is absolute.
func uri(path string) string {
	path = relative(path)
	if filepath.IsAbs(path) {
		return (&url.URL{Scheme: "file", Path: path}).String()
	}
	return (&url.URL{Path: path}).String()
}

// utf16Column is the column of an offset, from 1, in the units in which editors and SARIF count.
func utf16Column(file *source.File, offset int) int {
	start, _ := file.Line(file.Position(offset).Line)
	units := 1
	for text := file.Text[start:max(start, offset)]; len(text) > 0; {
		r, size := utf8.DecodeRune(text)
		text, units = text[size:], units+1
		if r > 0xffff {
			units++
		}
	}
	return units
}
