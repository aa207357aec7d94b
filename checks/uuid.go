package checks

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

var (
	validUUID = regexp.MustCompile(`^\{[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\}$`)
	bareUUID  = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	// notHexOrDash matches what no UUID has.
	notHexOrDash = regexp.MustCompile(`[^0-9a-fA-F-]`)
	hexUUID      = regexp.MustCompile(`^[0-9a-fA-F]{32}$`)
)

// uuidMistake tells what keeps a value from being a UUID in braces. UUIDs are no secrets. The right one is written as
// assign does.
func uuidMistake(name, value string, assign func(value string) string) (message, hint string) {
	meant := strings.TrimSpace(value)
	if decoded, err := url.PathUnescape(meant); err == nil && decoded != meant {
		meant, message = decoded, "is percent-encoded, as in a URL"
	}
	open, closed := strings.HasPrefix(meant, "{"), strings.HasSuffix(meant, "}")
	core := strings.Trim(meant, "{}()[]<> \t"+quoteSigns)
	dashed := otherDash.ReplaceAllString(core, "-")
	switch {
	case message != "" && bareUUID.MatchString(core):
	case validUUID.MatchString(meant) && message == "":
		message = "has a blank or a line break at its end"
		if strings.TrimLeft(value, " \t") != value {
			message = "begins with a blank"
		}
	case bareUUID.MatchString(core) && strings.ContainsAny(meant, " \t"):
		message = "has a blank within its braces"
	case bareUUID.MatchString(core) && !open && !closed:
		message = "lacks its braces"
	case bareUUID.MatchString(core) && open && closed:
		message = "has more than its pair of braces"
	case bareUUID.MatchString(core):
		message = "lacks one of its braces"
	case hexUUID.MatchString(core):
		message = "lacks its dashes"
		core = strings.Join([]string{core[:8], core[8:12], core[12:16], core[16:20], core[20:]}, "-")
	case bareUUID.MatchString(dashed):
		message, core = "has other signs for its dashes", dashed
	case !looksLikeUUID.MatchString(core):
		return fmt.Sprintf("%s is no UUID, nor nearly one", name), hintUUID(assign)
	default:
		return fmt.Sprintf("%s %q is no UUID: %s", name, value, shapeMistake(core)), hintUUID(assign)
	}
	return fmt.Sprintf("%s %q %s", name, value, message), "write " + assign("{"+core+"}")
}

// looksLikeUUID matches what may be quoted: anything else may be a secret in the wrong place.
var looksLikeUUID = regexp.MustCompile(`^[0-9a-fA-F]*\w?[0-9a-fA-F]*-[0-9a-zA-Z-]{0,40}$|^[0-9a-fA-F]{1,40}$`)

func hintUUID(assign func(value string) string) string {
	return "copy the whole UUID again: " + assign("{8-4-4-4-12 hexadecimal digits}")
}

// shapeMistake tells what is wrong with the digits of a UUID.
func shapeMistake(core string) string {
	if at := notHexOrDash.FindString(core); at != "" {
		return fmt.Sprintf("%q is no hexadecimal digit", at)
	}
	digits := strings.ReplaceAll(core, "-", "")
	if len(digits) != 32 {
		return fmt.Sprintf("it has %d hexadecimal digits, and a UUID has 32", len(digits))
	}
	return "its groups are not of 8, 4, 4, 4 and 12 digits"
}

var (
	uuidShape = regexp.MustCompile(`^\w{8}-\w{4}-\w{4}-\w{4}-\w{12}$`)
	notHex    = regexp.MustCompile(`[^0-9a-fA-F]`)
	// otherDash matches what stands for the dashes of a UUID by mistake.
	otherDash = regexp.MustCompile(`[_\x{2010}-\x{2015}\x{2212}]`)
)

// nearlyUUID tells a UUID with a mistake in it from a sample of its form.
func nearlyUUID(text string) bool {
	text = otherDash.ReplaceAllString(strings.TrimSpace(text), "-")
	return uuidShape.MatchString(text) && len(notHex.ReplaceAllString(text, "")) >= 16 || bareUUID.MatchString(text)
}
