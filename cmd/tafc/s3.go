package main

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/tafc/tafc/internal/redact"
	"github.com/tafc/tafc/internal/s3client"
	"github.com/tafc/tafc/lang"
)

// s3Config is how a bucket is reached, as an analysis says it; nil when it says nothing.
func s3Config(x *lang.S3) s3client.Config {
	if x == nil {
		return s3client.Config{}
	}
	return s3client.Config{Endpoint: x.Endpoint, Region: x.Region, Profile: x.Profile, Anonymous: x.Anonymous, PathStyle: x.PathStyle}
}

// s3Flags are the flags that say the same for a source on the command line.
type s3Flags struct {
	config    s3client.Config
	pathStyle bool
	flags     *pflag.FlagSet
}

func (s *s3Flags) add(f *pflag.FlagSet) {
	s.flags = f
	f.StringVar(&s.config.Endpoint, "endpoint", "", "s3: the server (default: AWS_ENDPOINT_URL_S3, else AWS)")
	f.StringVar(&s.config.Region, "region", "", "s3: the region of the bucket (default: AWS_REGION, else found out)")
	f.StringVar(&s.config.Profile, "profile", "", "s3: the profile of the AWS configuration files (default: AWS_PROFILE)")
	f.BoolVar(&s.config.Anonymous, "anonymous", false, "s3: the bucket is public, use no credentials")
	f.BoolVar(&s.pathStyle, "path-style", false, "s3: the name of the bucket stands in the path of a URL (default: with an endpoint)")
}

// of is the configuration for a source; flags without a meaning for it are an error.
func (s *s3Flags) of(source string) (s3client.Config, error) {
	config := s.config
	for _, name := range []string{"endpoint", "region", "profile", "anonymous", "path-style"} {
		if s.flags.Changed(name) && !strings.HasPrefix(source, "s3:") && !strings.HasPrefix(source, "inventory:s3:") {
			return config, usageError("-%s says how an S3 bucket is reached, and %s is none", name, redact.URLs(source))
		}
	}
	if config.Anonymous && config.Profile != "" {
		return config, usageError("-anonymous uses no credentials, so -profile has no meaning beside it")
	}
	if s.flags.Changed("path-style") {
		config.PathStyle = &s.pathStyle
	}
	return config, nil
}
