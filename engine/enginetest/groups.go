package enginetest

// groups are the files of cases.
func groups() []func() []Case {
	return []func() []Case{
		processOptions, securityOptions, resourceOptions, storageOptions, networkOptions, lifeOptions, podmanOptions, pullOptions,
		containerMembers, streamMembers, fileMembers, managerMembers, imageMembers, objectMembers,
		bugs, normalisedStates, normalisedValues,
	}
}
