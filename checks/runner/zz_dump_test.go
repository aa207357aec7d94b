package runner

import (
	"fmt"
	"os"
	"testing"
)

func TestDump(t *testing.T) {
	p := os.Getenv("F")
	if p == "" {
		return
	}
	data, _ := os.ReadFile(p)
	r := Read(p, data, os.ReadFile)
	fmt.Println("KIND", r.Kind)
	for _, m := range r.Mistakes {
		fmt.Println("FILE MISTAKE", m.Kind, m.Place.Position(), m.Detail)
	}
	for _, d := range r.Definitions {
		fmt.Println("DEF", d.Place.Position(), "image", d.Image.Value, d.Image.Place.Position(), d.Image.Unresolved)
		for _, v := range d.Environment {
			fmt.Printf("  env %s=%q %v nv=%v ff=%v u=%q ph=%q use=%v\n", v.Name.Value, v.Value.Value, v.Value.Place.Position(), v.NoValue, v.FromFile, v.Value.Unresolved, v.Value.Placeholder, v.Value.Use.Position())
		}
		for _, m := range d.Mounts {
			fmt.Printf("  mount %q -> %q ro=%v vol=%v home=%v %v %v %s %s\n", m.Source.Value, m.Target.Value, m.ReadOnly, m.Volume, m.Source.Home, m.Place.Position(), m.Target.Place.Position(), m.Source.Unresolved, m.Source.Placeholder)
		}
		for _, o := range d.Options {
			if o.Long != "env" && o.Long != "volume" {
				fmt.Printf("  opt %s %s=%q known=%v near=%q %v\n", o.Name.Value, o.Long, o.Value.Value, o.Known, o.Near, o.Place.Position())
			}
		}
		for _, a := range d.Arguments {
			fmt.Printf("  arg %q %v\n", a.Value, a.Place.Position())
		}
		for _, a := range d.Unread {
			fmt.Printf("  unread %q %v %s\n", a.Value, a.Place.Position(), a.Unresolved)
		}
		for _, e := range d.EnvFiles {
			fmt.Printf("  envfile %q %v\n", e.Path.Value, e.Err)
		}
		for _, m := range d.Mistakes {
			fmt.Printf("  MISTAKE %s %v %q loses=%v near=%q: %s\n", m.Kind, m.Place.Position(), m.Place.Text(), m.Loses, m.Near, m.Detail)
		}
	}
}
