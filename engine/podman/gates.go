package podman

// The versions of Podman that brought what a caller can ask for. An older one ignores it in silence, so that it is an UnsupportedError there.
const (
	minVersion version = 4_000_000

	vSquash            version = 4_001_000
	vImagePlatform     version = 4_002_000 // image_os, image_arch, image_variant of a new container
	vUpdate            version = 4_003_000 // POST /containers/{n}/update; also envmerge, secret labels, health_check_on_failure_action
	vNoPrune           version = 4_004_000 // of untagged parents of an image
	vImportPlatform    version = 4_006_000
	vEnvMerge          version = 4_004_000 // envmerge: 4.3 has the field, without effect
	vReadWriteTmpfs    version = 4_004_000
	vStartupHealth     version = 4_004_000
	vVolumeSubpath     version = 4_004_000
	vAttachLogs        version = 4_004_000 // logs=1 with correct frames
	vHostGateway       version = 4_007_000 // before, the word host-gateway is written to /etc/hosts
	vGroupEntry        version = 4_005_000
	vRootfsMapping     version = 4_005_000
	vShmSystemd        version = 4_005_000
	vLabelNested       version = 4_005_000
	vSecretExists      version = 4_005_000
	vExecLiveness      version = 4_005_001 // the state of a detached exec is told
	vWaitHealth        version = 4_006_000
	vSdNotifyHealthy   version = 4_007_000
	vSecretReplace     version = 4_007_000
	vExecRemove        version = 4_008_000
	vTopArgs           version = 4_008_000 // several ps_args
	vCompatPull        version = 4_008_000 // Docker's progress while pulling
	vIntelRdt          version = 4_008_000
	vOOMKilled         version = 5_000_000 // the state tells that a container was killed for want of memory
	vBaseHosts         version = 5_000_000
	vSecretListLabels  version = 5_000_000
	vExecDetached      version = 5_000_000 // an exec without any stream
	vNetIfStats        version = 5_000_000 // network counters for each interface
	vNetworkContainers version = 5_000_000
	vEndpointOptions   version = 5_000_000
	vTmpfsNoswap       version = 5_000_000
	vUpdateRestart     version = 5_001_000
	vImageSubpath      version = 5_001_000
	vHealthLog         version = 5_003_000
	vWaitRemoved       version = 5_003_000 // a wait tells the code of a container that is gone
	vRemoveImage       version = 5_003_000
	vUpdateHealth      version = 5_004_000 // also the rates of devices
	vImageHostname     version = 5_004_000
	vUpdateEnv         version = 5_005_000
	vArtifactVolumes   version = 5_005_000
	vTmpfsNoatime      version = 5_006_000
	vUpdateUlimits     version = 5_008_000
	vNoSlirp           version = 6_000_000 // and no cgroup v1
)
