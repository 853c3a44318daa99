package config

import (
	"strings"
	"time"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// defaultRetry is how operations are tried again when the file does not say.
var defaultRetry = Retry{Attempts: 8, First: 2 * time.Second, Max: time.Hour, Timeout: 30 * time.Second}

// Settings are the hub's own settings that flags and environment may override:
// a flag wins over PROVHUB_…, which wins over the file. "" leaves the file's.
type Settings struct {
	ConfigPath string // PROVHUB_CONFIG, --config
	Org        string // PROVHUB_ORG, --org
	StateURL   string // PROVHUB_STATE_URL, --state-url
	PluginDir  string // PROVHUB_PLUGINS_DIR, --plugins-dir
	LogLevel   string // PROVHUB_LOG_LEVEL, --log-level
	LogFormat  string // PROVHUB_LOG_FORMAT, --log-format
	Listen     string // PROVHUB_SERVE_LISTEN, --listen of `provhub serve`
}

// AddFlags defines the flags that [ReadSettings] reads.
func AddFlags(f *pflag.FlagSet) {
	f.StringP("config", "c", "provhub.yaml", "config file")
	f.String("org", "", "tenant the state belongs to")
	f.String("state-url", "", "where the state is kept: sqlite:PATH or postgres://…")
	f.String("plugins-dir", "", "folder of the connector plugins")
	f.String("log-level", "", "debug, info, warn or error")
	f.String("log-format", "", "text or json")
}

// ReadSettings reads the settings from flags and the environment. Only these few
// scalars go through viper: it folds keys to lower case, which attribute names
// would not survive.
func ReadSettings(f *pflag.FlagSet) (Settings, error) {
	v := viper.New()
	v.SetEnvPrefix("PROVHUB")
	v.SetEnvKeyReplacer(strings.NewReplacer("-", "_"))
	v.AutomaticEnv()
	if err := v.BindPFlags(f); err != nil {
		return Settings{}, err
	}
	return Settings{
		ConfigPath: v.GetString("config"), Org: v.GetString("org"), StateURL: v.GetString("state-url"),
		PluginDir: v.GetString("plugins-dir"), LogLevel: v.GetString("log-level"), LogFormat: v.GetString("log-format"),
		Listen: v.GetString("serve-listen"),
	}, nil
}
