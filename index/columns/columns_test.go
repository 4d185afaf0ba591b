package columns_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/index/columns"
)

func TestMap(t *testing.T) {
	ancestors := "file_id bucket_name reason app_name app_update_channel app_version app_build_id submission_date file_name file_size file_md5"
	for _, test := range []struct {
		name, columns, layout string // a column that ends with ! is a date
		explicit              map[string]string
		want                  string // key size etag | layout | columns of its dimensions, or the error
	}{
		{"usual names", "a Key SIZE md5", "", nil, "Key SIZE md5 | |"},
		{"the first of several", "file_name key etag file_md5", "", nil, "key  etag | |"},
		{"named", "path bytes sha", "", map[string]string{"key": "path", "size": "bytes", "etag": "sha"}, "path bytes sha | |"},
		{"ancestors", ancestors, "", nil, "file_name file_size file_md5 | telemetry | reason app_name app_update_channel app_version app_build_id submission_date"},
		{"ancestors, and the layout says so", ancestors, "telemetry", nil, "file_name file_size file_md5 | telemetry | reason app_name app_update_channel app_version app_build_id submission_date"},
		{"another layout reads the keys", ancestors, "{a}/{rest}", nil, "file_name file_size file_md5 | |"},
		{"dimensions", "key cc seen!", "", map[string]string{"country": "cc", "day": "seen"}, "key   | columns:country,day:date | cc seen"},
		{"a layout of columns", "key app_name appVersion", "columns:appVersion,appName", nil, "key   | columns:appVersion,appName | appVersion app_name"},
		{"some in the key", "key cc", "{country}/{day:date}", map[string]string{"country": "cc"}, "key   | {country}/{day:date} | cc "},
		{"no key", "a b", "", nil, `no column for the key (key or file_name); name it with columns = { key = "COLUMN" }: the table has a, b`},
		{"no such column", "key country", "", map[string]string{"c": "contry"}, `no column "contry" for dimension c (did you mean "country"?)`},
		{"no such dimension", "key c", "{country}/{rest}", map[string]string{"cuntry": "c"}, `"cuntry", which is no dimension of the layout {country}/{rest} (did you mean "country"?)`},
		{"no column for a dimension", "key countries", "columns:country", nil, `no column for the dimension "country"`},
		{"a bad name", "key c", "", map[string]string{"a b": "c"}, "holds a character"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var list []columns.Column
			for _, name := range strings.Fields(test.columns) {
				name, date := strings.CutSuffix(name, "!")
				list = append(list, columns.Column{Name: name, Date: date})
			}
			m, err := columns.Map("files", list, test.explicit, test.layout)
			if err != nil {
				if !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v, want %q", err, test.want)
				}
				return
			}
			layout := ""
			if m.Layout != nil {
				layout = " " + m.Layout.String()
			}
			got := m.Key + " " + m.Size + " " + m.ETag + " |" + layout + " | " + strings.Join(m.Dims, " ")
			if diff := cmp.Diff(strings.TrimSpace(test.want), strings.TrimSpace(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
