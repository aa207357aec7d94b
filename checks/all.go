package checks

// All lists every check, in the order of the report.
func All() []Check {
	return []Check{
		imageResolves,
		imagePlatform,
		imageLayers,
		imageCurrent,
		endpointReachable,
		clockAccurate,
	}
}
