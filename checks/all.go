package checks

// All lists every check, in the order of the report.
func All() []Check {
	return []Check{
		configFile,
		configJSON,
		configCredentialStore,
		configAuthEncoding,
		configBasicAuth,
		configRegistryKey,
		definitionCommand,
		definitionEnvironment,
		definitionMounts,
		definitionSecrets,
		definitionImages,
		containerRuns,
		containerConfig,
		containerDefinition,
		daemonAnswers,
		daemonSettings,
		daemonPulls,
		imageResolves,
		imagePlatform,
		imageLayers,
		imageCurrent,
		endpointReachable,
		clockAccurate,
		hostPrerequisites,
		hostDisk,
		ignoresValid,
	}
}
