package checks

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"runner-preflight/checks/source"
)

// folderFindings says of each folder that was named what a walk through it came to, as far as no runner tells.
func folderFindings(h *Host) []Finding {
	var findings []Finding
	for _, folder := range h.Folders {
		if n := len(folder.Large); n > 0 {
			findings = append(findings, Skipped(folder.Path, fmt.Sprintf("%s larger than %d MiB not read: %s",
				CountOf(n, "text was", "texts were"), maxFound>>20, listed(folder.Large))))
		}
		if !h.finds(folder) && len(folder.Unread) == 0 {
			findings = append(findings, emptyFolder(h, folder))
		}
	}
	return findings
}

// finds tells whether something of a folder is judged.
func (h *Host) finds(folder Folder) bool {
	within := func(name string) bool {
		relative, err := filepath.Rel(folder.Path, name)
		return err == nil && filepath.IsLocal(relative)
	}
	for _, r := range h.Runners {
		if r.Definition != nil && r.Definition.File != nil && within(r.Definition.File.Path) ||
			r.Config != nil && within(r.Config.Path) {
			return true
		}
	}
	return false
}

func emptyFolder(h *Host, folder Folder) Finding {
	message := fmt.Sprintf("no runner and no config.json is in it: %s looked at", CountOf(folder.Looked, "file was", "files were"))
	if folder.Ignored > 0 {
		message += fmt.Sprintf(", %s left out as git ignores them", CountOf(folder.Ignored, "name", "names"))
	}
	for _, reading := range h.Readings {
		if reading.Passed != "" {
			message += ", and those that speak of runners are not judged"
			break
		}
	}
	return Erred(noRunner, folder.Path, message,
		"name the file that starts the runner, with its docker container run, or its env file").
		At(source.New(folder.Path, nil).Whole()).Touching(Path(folder.Path))
}

// unreadFindings reports what in the folders that were named could not be read. Whichever checks are selected, one of
// them has to say it: what they look for may be there.
func unreadFindings(h *Host) []Finding {
	var findings []Finding
	for _, folder := range h.Folders {
		for _, unread := range folder.Unread {
			why := "it cannot be read"
			if errors.Is(unread.Err, fs.ErrPermission) {
				why = "this user may not read it"
			}
			findings = append(findings, Erred(notEstablished, unread.Path, why+": a runner may be in it",
				"run this as a user who may read all of the folder, or name the files that are meant").
				At(source.New(unread.Path, nil).Whole()).On(folder.Path).Touching(Path(unread.Path)))
		}
	}
	return findings
}
