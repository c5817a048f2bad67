package docker

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth/engine"
)

// everyField has, for each field of a Spec and of its parts, a spec with it and the same one without it; "" is one with the image alone. The field must be seen in the request, or refused.
var everyField = map[string]struct{ with, without string }{
	"image":                           {`{"image":"y"}`, ""},
	"platform":                        {`{"platform":"linux/arm64"}`, ""},
	"name":                            {`{"name":"n"}`, ""},
	"command":                         {`{"command":["c"]}`, ""},
	"entrypoint":                      {`{"entrypoint":[]}`, ""},
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
	"healthcheck.test":                {`{"healthcheck":{"test":["CMD","x"]}}`, `{"healthcheck":{}}`},
	"healthcheck.interval":            {`{"healthcheck":{"interval":"1s"}}`, `{"healthcheck":{}}`},
	"healthcheck.timeout":             {`{"healthcheck":{"timeout":"1s"}}`, `{"healthcheck":{}}`},
	"healthcheck.startPeriod":         {`{"healthcheck":{"startPeriod":"1s"}}`, `{"healthcheck":{}}`},
	"healthcheck.startInterval":       {`{"healthcheck":{"startInterval":"1s"}}`, `{"healthcheck":{}}`},
	"healthcheck.retries":             {`{"healthcheck":{"retries":1}}`, `{"healthcheck":{}}`},
	"healthcheck.onFailure":           {`{"healthcheck":{"onFailure":"kill"}}`, `{"healthcheck":{}}`},
	"healthcheck.startup":             {`{"healthcheck":{"startup":{"test":["CMD","x"]}}}`, `{"healthcheck":{}}`},
	"healthcheck.logDestination":      {`{"healthcheck":{"logDestination":"local"}}`, `{"healthcheck":{}}`},
	"healthcheck.logMaxCount":         {`{"healthcheck":{"logMaxCount":0}}`, `{"healthcheck":{}}`},
	"healthcheck.logMaxSize":          {`{"healthcheck":{"logMaxSize":0}}`, `{"healthcheck":{}}`},
	"restartPolicy.name":              {`{"restartPolicy":{"name":"always"}}`, ""},
	"restartPolicy.maximumRetryCount": {`{"restartPolicy":{"name":"on-failure","maximumRetryCount":1}}`, `{"restartPolicy":{"name":"on-failure"}}`},
	"autoRemove":                      {`{"autoRemove":true}`, ""},
	"logConfig.driver":                {`{"logConfig":{"driver":"none"}}`, ""},
	"logConfig.options":               {`{"logConfig":{"options":{"a":"b"}}}`, ""},
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
	"deviceRequests.driver":           {`{"deviceRequests":[{"driver":"d","count":1}]}`, `{"deviceRequests":[{"count":1}]}`},
	"deviceRequests.count":            {`{"deviceRequests":[{"driver":"d","count":-1}]}`, `{"deviceRequests":[{"driver":"d","count":1}]}`},
	"deviceRequests.deviceIDs":        {`{"deviceRequests":[{"driver":"d","deviceIDs":["1"]}]}`, `{"deviceRequests":[{"driver":"d","count":1}]}`},
	"deviceRequests.capabilities":     {`{"deviceRequests":[{"driver":"d","count":1,"capabilities":[["gpu"]]}]}`, `{"deviceRequests":[{"driver":"d","count":1}]}`},
	"deviceRequests.options":          {`{"deviceRequests":[{"driver":"d","count":1,"options":{"a":"b"}}]}`, `{"deviceRequests":[{"driver":"d","count":1}]}`},
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
	"raw":                             {`{"raw":{"docker":{"X":1}}}`, ""},
}

// opaque are fields that this test takes as one: Podman's are in TestPodmanFields, and whether the client's proxy settings are used is the facade's business.
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

// TestEveryField holds ContainerCreate to: nothing that is set is ever dropped.
func TestEveryField(t *testing.T) {
	for _, path := range fieldPaths("", reflect.TypeFor[engine.Spec]()) {
		if _, ok := everyField[path]; !ok && path != "podman" && path != "useConfigProxy" {
			t.Errorf("%s is not in the table", path)
		}
	}
	for _, version := range []string{"1.40", "1.43", MaxAPIVersion} {
		f := &fake{api: version, handle: func(w http.ResponseWriter, _ *http.Request, body string) {
			if strings.Contains(body, "none-such") {
				fail(w, 400, "invalid restart policy")
				return
			}
			answer(w, 201, `{"Id":"a"}`)
		}}
		e := openFake(t, f)
		send := func(text string) (string, error) {
			spec := engine.Spec{}
			if text != "" {
				if err := json.Unmarshal([]byte(text), &spec); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
			}
			if spec.Image == "" {
				spec.Image = "x"
			}
			_, err := e.ContainerCreate(t.Context(), &spec, engine.CreateOptions{})
			var sent []string
			for _, r := range f.requests() {
				sent = append(sent, r.String(), r.Body)
			}
			return strings.Join(sent, "\n"), err
		}
		for path, specs := range everyField {
			without, err := send(specs.without)
			if err != nil {
				t.Errorf("%s: without it: %v", path, err)
			}
			with, err := send(specs.with)
			switch {
			case errors.Is(err, engine.ErrUnsupported):
				if with != "" {
					t.Errorf("%s %s: refused after a request", version, path)
				}
			case err != nil:
				t.Errorf("%s %s: %v", version, path, err)
			case with == without:
				t.Errorf("%s %s: dropped", version, path)
			}
		}
	}
}

// TestPodmanFields sets each field of PodmanSpec.
func TestPodmanFields(t *testing.T) {
	e := &Engine{api: maxAPI}
	for f := range reflect.TypeFor[engine.PodmanSpec]().Fields() {
		p := &engine.PodmanSpec{}
		v := reflect.ValueOf(p).Elem().FieldByIndex(f.Index)
		switch v.Kind() {
		case reflect.Pointer:
			v.Set(reflect.New(v.Type().Elem()))
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		case reflect.Map:
			v.Set(reflect.MakeMap(v.Type()))
		case reflect.Bool:
			v.SetBool(true)
		case reflect.String:
			v.SetString("x")
		case reflect.Int64:
			v.SetInt(1)
		default:
			t.Fatalf("%s is a %s", f.Name, v.Kind())
		}
		r := &refusals{e: e}
		e.refuse(r, &engine.Spec{Image: "x", Podman: p})
		if u, ok := errors.AsType[*engine.UnsupportedError](r.err()); !ok || u.Option != "Spec.Podman."+f.Name {
			t.Errorf("%s: %v", f.Name, r.err())
		}
	}
}
