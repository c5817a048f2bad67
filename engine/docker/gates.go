package docker

// The versions of the API that brought what a caller can ask for, from the engine's version history. What an older engine is asked for is an UnsupportedError.
const (
	apiPlatform         apiVersion = 41 // platform of a new container
	apiCgroupNS         apiVersion = 41
	apiOneShot          apiVersion = 41 // stats with one reading
	apiContentType      apiVersion = 42 // attach and logs tell whether they multiplex
	apiStopSignal       apiVersion = 42
	apiCreateMountpoint apiVersion = 42
	apiConsoleSize      apiVersion = 42 // of the terminal of an exec, or of a new container
	apiPruneAnonymous   apiVersion = 42 // volume prune leaves named volumes alone unless told otherwise
	apiAnnotations      apiVersion = 43
	apiMultiNetwork     apiVersion = 44 // several endpoints of a new container, and a MAC address for each
	apiStartInterval    apiVersion = 44
	apiSubpath          apiVersion = 45 // of a volume
	apiEndpointSysctls  apiVersion = 46
	apiGatewayPriority  apiVersion = 48
	apiInterfaceName    apiVersion = 48
	apiImageMount       apiVersion = 48
)
