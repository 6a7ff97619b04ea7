package deployed

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Settings are the variables FLYWAY_* and SLIPWAY_* that the function of an
// environment will have once the cloud assembly in folder (cdk.out) is
// deployed.
func Settings(folder string, e Environment) (map[string]string, error) {
	file := filepath.Join(folder, e.Stack()+".template.json")
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("what would be deployed: %w", err)
	}
	var template struct {
		Resources map[string]struct {
			Type       string
			Properties struct {
				Environment struct{ Variables map[string]any }
			}
		}
	}
	if err := json.Unmarshal(raw, &template); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, r := range template.Resources {
		v := r.Properties.Environment.Variables
		_, ours := v["MASTER_SECRET_ARN"]
		_, reads := v["SLIPWAY_READ_ONLY"]
		if r.Type != "AWS::Lambda::Function" || !ours || reads {
			continue
		}
		settings := map[string]string{}
		for name, value := range v {
			// What is not text refers to another resource, and is no such setting.
			if text, ok := value.(string); ok && (strings.HasPrefix(name, "FLYWAY_") || strings.HasPrefix(name,
				"SLIPWAY_")) {
				settings[name] = text
			}
		}
		return settings, nil
	}
	return nil, fmt.Errorf("%s has no function of Slipway's", file)
}
