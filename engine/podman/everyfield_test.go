package podman

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth/engine"
)

// everyField has, for each field of a Spec and of its parts, a spec with it and the same one without it; "" is one with the image alone. The field must be seen in the requests, or refused.
var everyField = map[string]struct{ with, without string }{
	"image":                           {`{"image":"y"}`, ""},
	"platform":                        {`{"platform":"linux/arm64"}`, ""},
	"name":                            {`{"name":"n"}`, ""},
	"command":                         {`{"command":["c"]}`, ""},
	"entrypoint":                      {`{"entrypoint":["e"]}`, ""},
	"env":                             {`{"env":{"A":""}}`, ""},
	"unsetEnv":                        {`{"unsetEnv":["A"]}`, ""},
	"workingDir":                      {`{"workingDir":"/w"}`, ""},
	"user":                            {`{"user":"u"}`, ""},
	"groupAdd":                        {`{"groupAdd":["g"]}`, ""},
	"umask":                           {`{"umask":"022"}`, ""},
	"timezone":                        {`{"timezone":"UTC"}`, ""},
	"tty":                             {`{"tty":true}`, ""},
	"openStdin":                       {`{"openStdin":true}`, ""},
	"stdinOnce":                       {`{"openStdin":true,"stdinOnce":true}`, `{"openStdin":true}`},
	"stopSignal":                      {`{"stopSignal":"INT"}`, ""},
	"stopTimeout":                     {`{"stopTimeout":"0s"}`, ""},
	"timeout":                         {`{"timeout":"1s"}`, ""},
	"init":                            {`{"init":false}`, ""},
	"initPath":                        {`{"init":true,"initPath":"/i"}`, `{"init":true}`},
	"hostname":                        {`{"hostname":"h"}`, ""},
	"domainname":                      {`{"domainname":"d"}`, ""},
	"labels":                          {`{"labels":{"l":""}}`, ""},
	"annotations":                     {`{"annotations":{"a":""}}`, ""},
	"healthcheck":                     {`{"healthcheck":{"test":["NONE"]}}`, ""},
	"healthcheck.test":                {`{"healthcheck":{"test":["CMD","x"]}}`, `{"healthcheck":{"test":["CMD","y"]}}`},
	"healthcheck.interval":            {`{"healthcheck":{"test":["CMD","y"],"interval":"1s"}}`, `{"healthcheck":{"test":["CMD","y"]}}`},
	"healthcheck.timeout":             {`{"healthcheck":{"test":["CMD","y"],"timeout":"1s"}}`, `{"healthcheck":{"test":["CMD","y"]}}`},
	"healthcheck.startPeriod":         {`{"healthcheck":{"test":["CMD","y"],"startPeriod":"1s"}}`, `{"healthcheck":{"test":["CMD","y"]}}`},
	"healthcheck.startInterval":       {`{"healthcheck":{"test":["CMD","y"],"startInterval":"1s"}}`, `{"healthcheck":{"test":["CMD","y"]}}`},
	"healthcheck.retries":             {`{"healthcheck":{"test":["CMD","y"],"retries":1}}`, `{"healthcheck":{"test":["CMD","y"]}}`},
	"healthcheck.onFailure":           {`{"healthcheck":{"test":["CMD","y"],"onFailure":"kill"}}`, `{"healthcheck":{"test":["CMD","y"]}}`},
	"healthcheck.startup":             {`{"healthcheck":{"test":["CMD","y"],"startup":{"test":["CMD","x"]}}}`, `{"healthcheck":{"test":["CMD","y"]}}`},
	"healthcheck.logDestination":      {`{"healthcheck":{"test":["CMD","y"],"logDestination":"/l"}}`, `{"healthcheck":{"test":["CMD","y"]}}`},
	"healthcheck.logMaxCount":         {`{"healthcheck":{"test":["CMD","y"],"logMaxCount":0}}`, `{"healthcheck":{"test":["CMD","y"]}}`},
	"healthcheck.logMaxSize":          {`{"healthcheck":{"test":["CMD","y"],"logMaxSize":0}}`, `{"healthcheck":{"test":["CMD","y"]}}`},
	"restartPolicy.name":              {`{"restartPolicy":{"name":"always"}}`, ""},
	"restartPolicy.maximumRetryCount": {`{"restartPolicy":{"name":"on-failure","maximumRetryCount":1}}`, `{"restartPolicy":{"name":"on-failure"}}`},
	"autoRemove":                      {`{"autoRemove":true}`, ""},
	"logConfig.driver":                {`{"logConfig":{"driver":"none"}}`, ""},
	"logConfig.options":               {`{"logConfig":{"driver":"k8s-file","options":{"max-size":"1k"}}}`, `{"logConfig":{"driver":"k8s-file"}}`},
	"runtime":                         {`{"runtime":"r"}`, ""},
	"privileged":                      {`{"privileged":true}`, ""},
	"capAdd":                          {`{"capAdd":["ALL"]}`, ""},
	"capDrop":                         {`{"capDrop":["ALL"]}`, ""},
	"securityOpt":                     {`{"securityOpt":["no-new-privileges"]}`, ""},
	"readOnly":                        {`{"readOnly":true}`, ""},
	"readWriteTmpfs":                  {`{"readOnly":true,"readWriteTmpfs":true}`, `{"readOnly":true}`},
	"mounts.type":                     {`{"mounts":[{"type":"tmpfs","target":"/t"}]}`, ""},
	"mounts.source":                   {`{"mounts":[{"type":"volume","source":"s","target":"/t"}]}`, `{"mounts":[{"type":"volume","target":"/t"}]}`},
	"mounts.target":                   {`{"mounts":[{"type":"tmpfs","target":"/u"}]}`, `{"mounts":[{"type":"tmpfs","target":"/t"}]}`},
	"mounts.readOnly":                 {`{"mounts":[{"type":"tmpfs","target":"/t","readOnly":true}]}`, `{"mounts":[{"type":"tmpfs","target":"/t"}]}`},
	"mounts.propagation":              {`{"mounts":[{"type":"bind","source":"/s","target":"/t","propagation":"shared"}]}`, `{"mounts":[{"type":"bind","source":"/s","target":"/t"}]}`},
	"mounts.relabel":                  {`{"mounts":[{"type":"bind","source":"/s","target":"/t","relabel":"shared"}]}`, `{"mounts":[{"type":"bind","source":"/s","target":"/t"}]}`},
	"mounts.chown":                    {`{"mounts":[{"type":"bind","source":"/s","target":"/t","chown":true}]}`, `{"mounts":[{"type":"bind","source":"/s","target":"/t"}]}`},
	"mounts.nonRecursive":             {`{"mounts":[{"type":"bind","source":"/s","target":"/t","nonRecursive":true}]}`, `{"mounts":[{"type":"bind","source":"/s","target":"/t"}]}`},
	"mounts.createSource":             {`{"mounts":[{"type":"bind","source":"/s","target":"/t","createSource":true}]}`, `{"mounts":[{"type":"bind","source":"/s","target":"/t"}]}`},
	"mounts.consistency":              {`{"mounts":[{"type":"bind","source":"/s","target":"/t","consistency":"cached"}]}`, `{"mounts":[{"type":"bind","source":"/s","target":"/t"}]}`},
	"mounts.noCopy":                   {`{"mounts":[{"type":"volume","source":"s","target":"/t","noCopy":true}]}`, `{"mounts":[{"type":"volume","source":"s","target":"/t"}]}`},
	"mounts.subpath":                  {`{"mounts":[{"type":"volume","source":"s","target":"/t","subpath":"p"}]}`, `{"mounts":[{"type":"volume","source":"s","target":"/t"}]}`},
	"mounts.labels":                   {`{"mounts":[{"type":"volume","source":"s","target":"/t","labels":{"l":""}}]}`, `{"mounts":[{"type":"volume","source":"s","target":"/t"}]}`},
	"mounts.driver":                   {`{"mounts":[{"type":"volume","source":"s","target":"/t","driver":"d"}]}`, `{"mounts":[{"type":"volume","source":"s","target":"/t"}]}`},
	"mounts.driverOptions":            {`{"mounts":[{"type":"volume","source":"s","target":"/t","driverOptions":{"o":""}}]}`, `{"mounts":[{"type":"volume","source":"s","target":"/t"}]}`},
	"mounts.size":                     {`{"mounts":[{"type":"tmpfs","target":"/t","size":1}]}`, `{"mounts":[{"type":"tmpfs","target":"/t"}]}`},
	"mounts.mode":                     {`{"mounts":[{"type":"tmpfs","target":"/t","mode":448}]}`, `{"mounts":[{"type":"tmpfs","target":"/t"}]}`},
	"mounts.options":                  {`{"mounts":[{"type":"tmpfs","target":"/t","options":["exec"]}]}`, `{"mounts":[{"type":"tmpfs","target":"/t"}]}`},
	"volumesFrom":                     {`{"volumesFrom":["c"]}`, ""},
	"volumeDriver":                    {`{"volumeDriver":"d","mounts":[{"type":"volume","source":"s","target":"/t"}]}`, `{"mounts":[{"type":"volume","source":"s","target":"/t"}]}`},
	"storageOpt":                      {`{"storageOpt":{"size":"1g"}}`, ""},
	"shmSize":                         {`{"shmSize":1}`, ""},
	"devices.host":                    {`{"devices":[{"host":"/dev/a"}]}`, ""},
	"devices.container":               {`{"devices":[{"host":"/dev/a","container":"/dev/b"}]}`, `{"devices":[{"host":"/dev/a"}]}`},
	"devices.permissions":             {`{"devices":[{"host":"/dev/a","permissions":"r"}]}`, `{"devices":[{"host":"/dev/a"}]}`},
	"deviceCgroupRules":               {`{"deviceCgroupRules":["c 1:1 r"]}`, ""},
	"deviceRequests.driver":           {`{"deviceRequests":[{"driver":"amd","count":1,"capabilities":[["gpu"]]}]}`, `{"deviceRequests":[{"count":1,"capabilities":[["gpu"]]}]}`},
	"deviceRequests.count":            {`{"deviceRequests":[{"count":-1,"capabilities":[["gpu"]]}]}`, `{"deviceRequests":[{"count":1,"capabilities":[["gpu"]]}]}`},
	"deviceRequests.deviceIDs":        {`{"deviceRequests":[{"deviceIDs":["7"],"capabilities":[["gpu"]]}]}`, `{"deviceRequests":[{"count":1,"capabilities":[["gpu"]]}]}`},
	"deviceRequests.capabilities":     {`{"deviceRequests":[{"count":1,"capabilities":[["gpu","compute"]]}]}`, `{"deviceRequests":[{"count":1,"capabilities":[["gpu"]]}]}`},
	"deviceRequests.options":          {`{"deviceRequests":[{"count":1,"capabilities":[["gpu"]],"options":{"a":"b"}}]}`, `{"deviceRequests":[{"count":1,"capabilities":[["gpu"]]}]}`},
	"cdiDevices":                      {`{"cdiDevices":["v.com/c=1"]}`, ""},
	"resources.memory":                {`{"resources":{"memory":"64m"}}`, ""},
	"resources.memorySwap":            {`{"resources":{"memory":"64m","memorySwap":-1}}`, `{"resources":{"memory":"64m"}}`},
	"resources.memoryReservation":     {`{"resources":{"memoryReservation":"64m"}}`, ""},
	"resources.memorySwappiness":      {`{"resources":{"memorySwappiness":0}}`, ""},
	"resources.kernelMemory":          {`{"resources":{"kernelMemory":"64m"}}`, ""},
	"resources.oomKillDisable":        {`{"resources":{"oomKillDisable":true}}`, ""},
	"resources.cpus":                  {`{"resources":{"cpus":0.5}}`, ""},
	"resources.cpuShares":             {`{"resources":{"cpuShares":2}}`, ""},
	"resources.cpuPeriod":             {`{"resources":{"cpuPeriod":1000}}`, ""},
	"resources.cpuQuota":              {`{"resources":{"cpuQuota":-1}}`, ""},
	"resources.cpuRealtimePeriod":     {`{"resources":{"cpuRealtimePeriod":1}}`, ""},
	"resources.cpuRealtimeRuntime":    {`{"resources":{"cpuRealtimeRuntime":1}}`, ""},
	"resources.cpusetCPUs":            {`{"resources":{"cpusetCPUs":"0"}}`, ""},
	"resources.cpusetMems":            {`{"resources":{"cpusetMems":"0"}}`, ""},
	"resources.pidsLimit":             {`{"resources":{"pidsLimit":-1}}`, ""},
	"resources.blkioWeight":           {`{"resources":{"blkioWeight":10}}`, ""},
	"resources.blkioWeightDevice":     {`{"resources":{"blkioWeightDevice":[{"path":"/dev/a","weight":1}]}}`, ""},
	"resources.blkioDeviceReadBps":    {`{"resources":{"blkioDeviceReadBps":[{"path":"/dev/a","rate":1}]}}`, ""},
	"resources.blkioDeviceWriteBps":   {`{"resources":{"blkioDeviceWriteBps":[{"path":"/dev/a","rate":1}]}}`, ""},
	"resources.blkioDeviceReadIOps":   {`{"resources":{"blkioDeviceReadIOps":[{"path":"/dev/a","rate":1}]}}`, ""},
	"resources.blkioDeviceWriteIOps":  {`{"resources":{"blkioDeviceWriteIOps":[{"path":"/dev/a","rate":1}]}}`, ""},
	"ulimits.name":                    {`{"ulimits":[{"name":"core","soft":0,"hard":0}]}`, ""},
	"ulimits.soft":                    {`{"ulimits":[{"name":"core","soft":1,"hard":2}]}`, `{"ulimits":[{"name":"core","soft":0,"hard":2}]}`},
	"ulimits.hard":                    {`{"ulimits":[{"name":"core","soft":0,"hard":1}]}`, `{"ulimits":[{"name":"core","soft":0,"hard":2}]}`},
	"sysctls":                         {`{"sysctls":{"a":"b"}}`, ""},
	"oomScoreAdj":                     {`{"oomScoreAdj":0}`, ""},
	"cgroupParent":                    {`{"cgroupParent":"/p"}`, ""},
	"cgroupsMode":                     {`{"cgroupsMode":"split"}`, ""},
	"pidMode":                         {`{"pidMode":"host"}`, ""},
	"ipcMode":                         {`{"ipcMode":"host"}`, ""},
	"utsMode":                         {`{"utsMode":"host"}`, ""},
	"usernsMode":                      {`{"usernsMode":"auto"}`, ""},
	"cgroupNS":                        {`{"cgroupNS":"host"}`, ""},
	"networkMode":                     {`{"networkMode":"host"}`, ""},
	"networks.network":                {`{"networks":[{"network":"n"}]}`, ""},
	"networks.aliases":                {`{"networks":[{"network":"n","aliases":["a"]}]}`, `{"networks":[{"network":"n"}]}`},
	"networks.ipv4":                   {`{"networks":[{"network":"n","ipv4":"10.0.0.1"}]}`, `{"networks":[{"network":"n"}]}`},
	"networks.ipv6":                   {`{"networks":[{"network":"n","ipv6":"fd00::1"}]}`, `{"networks":[{"network":"n"}]}`},
	"networks.linkLocalIPs":           {`{"networks":[{"network":"n","linkLocalIPs":["169.254.0.1"]}]}`, `{"networks":[{"network":"n"}]}`},
	"networks.macAddress":             {`{"networks":[{"network":"n","macAddress":"02:00:00:00:00:01"}]}`, `{"networks":[{"network":"n"}]}`},
	"networks.interfaceName":          {`{"networks":[{"network":"n","interfaceName":"i"}]}`, `{"networks":[{"network":"n"}]}`},
	"networks.links":                  {`{"networks":[{"network":"n","links":["a:b"]}]}`, `{"networks":[{"network":"n"}]}`},
	"networks.driverOptions":          {`{"networks":[{"network":"n","driverOptions":{"a":"b"}}]}`, `{"networks":[{"network":"n"}]}`},
	"networks.gatewayPriority":        {`{"networks":[{"network":"n","gatewayPriority":-1}]}`, `{"networks":[{"network":"n"}]}`},
	"networkDisabled":                 {`{"networkDisabled":true}`, ""},
	"macAddress":                      {`{"macAddress":"02:00:00:00:00:01"}`, ""},
	"ports.container":                 {`{"ports":[{"container":"80"}]}`, ""},
	"ports.host":                      {`{"ports":[{"container":"80","host":"81"}]}`, `{"ports":[{"container":"80"}]}`},
	"ports.hostIP":                    {`{"ports":[{"container":"80","hostIP":"127.0.0.1"}]}`, `{"ports":[{"container":"80"}]}`},
	"ports.range":                     {`{"ports":[{"container":"80","range":2}]}`, `{"ports":[{"container":"80"}]}`},
	"expose":                          {`{"expose":["80"]}`, ""},
	"publishAllPorts":                 {`{"publishAllPorts":true}`, ""},
	"dns":                             {`{"dns":["9.9.9.9"]}`, ""},
	"dnsOptions":                      {`{"dnsOptions":["o"]}`, ""},
	"dnsSearch":                       {`{"dnsSearch":["s"]}`, ""},
	"extraHosts":                      {`{"extraHosts":["a:1.2.3.4"]}`, ""},
	"links":                           {`{"links":["a:b"]}`, ""},
	"secrets":                         {`{"secrets":[{"source":"s"}]}`, ""},
	"secretEnv":                       {`{"secretEnv":{"A":"s"}}`, ""},
	"lxcConf":                         {`{"lxcConf":{"a":"b"}}`, ""},
	"windows.isolation":               {`{"windows":{"isolation":"process"}}`, ""},
	"windows.cpuCount":                {`{"windows":{"cpuCount":1}}`, ""},
	"windows.cpuPercent":              {`{"windows":{"cpuPercent":1}}`, ""},
	"windows.ioMaximumIOps":           {`{"windows":{"ioMaximumIOps":1}}`, ""},
	"windows.ioMaximumBandwidth":      {`{"windows":{"ioMaximumBandwidth":1}}`, ""},
	"windows.credentialSpec":          {`{"windows":{"credentialSpec":"c"}}`, ""},
	"raw":                             {`{"raw":{"podman":{"X":1}}}`, ""},
}

// tolerated are fields that Podman honours without being told: it closes a container's standard input when the first client that attached it is gone, always, and macOS's consistency is a hint to no Linux.
var tolerated = []string{"stdinOnce", "mounts.consistency", "mounts.createSource", "resources.cpuQuota"}

// opaque are fields that this test takes as one: PodmanSpec has TestPodmanFields, and whether the client's proxy settings are used is the facade's business.
var opaque = []string{"podman", "useConfigProxy", "healthcheck.startup", "secrets", "resources.blkioWeightDevice", "resources.blkioDeviceReadBps", "resources.blkioDeviceWriteBps", "resources.blkioDeviceReadIOps", "resources.blkioDeviceWriteIOps"}

// fieldPaths are the JSON names of the fields of t and of its parts.
func fieldPaths(prefix string, t reflect.Type) []string {
	var paths []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		path := strings.TrimPrefix(prefix+"."+name, ".")
		inner := f.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner.PkgPath() == t.PkgPath() && !slices.Contains(opaque, path) {
			paths = append(paths, fieldPaths(path, inner)...)
			continue
		}
		paths = append(paths, path)
	}
	return paths
}

// sent is what creating a spec sends.
func sent(t *testing.T, f *fake, e *Engine, text string) (string, error) {
	t.Helper()
	spec := engine.Spec{}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &spec); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if spec.Image == "" && (spec.Podman == nil || spec.Podman.Rootfs == "") {
		spec.Image = "x"
	}
	_, err := e.ContainerCreate(t.Context(), &spec, engine.CreateOptions{})
	var out []string
	for _, r := range f.requests() {
		out = append(out, r.String(), r.Body)
	}
	return strings.Join(out, "\n"), err
}

// TestEveryField holds ContainerCreate to: nothing that is set is ever dropped.
func TestEveryField(t *testing.T) {
	for _, path := range fieldPaths("", reflect.TypeFor[engine.Spec]()) {
		if _, ok := everyField[path]; !ok && path != "podman" && path != "useConfigProxy" {
			t.Errorf("%s is not in the table", path)
		}
	}
	for _, version := range []string{oldVersion, "4.9.4", newVersion, "5.8.2 cgroup v2"} {
		f := goldenFake(version)
		e := openFake(t, f)
		for path, specs := range everyField {
			without, err := sent(t, f, e, specs.without)
			if err != nil && specs.without != "" {
				without, err = sent(t, f, e, "") // what it needs is refused in its turn
			}
			if err != nil {
				t.Errorf("%s %s: without it: %v", version, path, err)
			}
			with, err := sent(t, f, e, specs.with)
			switch {
			case errors.Is(err, engine.ErrUnsupported):
				if strings.Contains(with, "/containers/create") {
					t.Errorf("%s %s: refused after the request", version, path)
				}
			case path == "platform" && errors.Is(err, engine.ErrImageNotFound): // the image is for another
			case err != nil:
				t.Errorf("%s %s: %v", version, path, err)
			case with == without && !slices.Contains(tolerated, path):
				t.Errorf("%s %s: dropped", version, path)
			}
		}
	}
}

// podmanFields has a spec for each field of PodmanSpec that needs more than a value of its type.
var podmanFields = map[string]string{
	"rootfs":            `{"podman":{"rootfs":"/r"}}`,
	"rootfsOverlay":     `{"podman":{"rootfs":"/r","rootfsOverlay":true}}`,
	"rootfsMapping":     `{"podman":{"rootfs":"/r","rootfsMapping":"m"}}`,
	"removeImage":       `{"autoRemove":true,"podman":{"removeImage":true}}`,
	"initContainerType": `{"podman":{"pod":"p","initContainerType":"once"}}`,
	"hostDeviceList":    `{"podman":{"hostDeviceList":[{"host":"/dev/a"}]}}`,
	"chrootDirectories": `{"podman":{"chrootDirectories":["/a"]}}`,
	"intelRdt":          `{"podman":{"intelRdt":{"closID":"c"}}}`,
	"idMappings":        `{"podman":{"idMappings":{"uidMap":[{"containerID":0,"hostID":1,"size":1}]}}}`,
	"artifactVolumes":   `{"podman":{"artifactVolumes":[{"source":"s","destination":"/d"}]}}`,
	"rdma":              `{"podman":{"rdma":{"m":{}}}}`,
	"networkOptions":    `{"podman":{"networkOptions":{"pasta":["a"]}}}`,
	"unified":           `{"podman":{"unified":{"memory.high":"1"}}}`,
}

// TestPodmanFields sets each field of PodmanSpec.
func TestPodmanFields(t *testing.T) {
	values := map[reflect.Kind]string{reflect.String: `"x"`, reflect.Bool: "true", reflect.Pointer: "true", reflect.Slice: `["x"]`, reflect.Int64: "1024"}
	for _, version := range []string{oldVersion, newVersion, "5.8.2 cgroup v2"} {
		f := goldenFake(version)
		e := openFake(t, f)
		for field := range reflect.TypeFor[engine.PodmanSpec]().Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			text, ok := podmanFields[name]
			if !ok {
				text = `{"podman":{"` + name + `":` + values[field.Type.Kind()] + `}}`
			}
			without, err := sent(t, f, e, "")
			if err != nil {
				t.Fatal(err)
			}
			with, err := sent(t, f, e, text)
			switch {
			case errors.Is(err, engine.ErrUnsupported):
			case err != nil:
				t.Errorf("%s %s: %v", version, text, err)
			case with == without:
				t.Errorf("%s %s: dropped", version, text)
			}
		}
	}
}
