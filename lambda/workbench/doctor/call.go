package doctor

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
)

// answerLimit is what is read of an answer, in bytes.
const answerLimit = 1 << 20

// reader reads what AWS knows, with the credentials at hand.
type reader struct {
	aws aws.Config
}

// region is how the commands of next steps name it.
func (r *reader) region() string { return " --region " + r.aws.Region }

// client sends what is signed here.
func (r *reader) client() aws.HTTPClient {
	if r.aws.HTTPClient != nil {
		return r.aws.HTTPClient
	}
	return http.DefaultClient
}

// call sends one signed request to a service whose module of the SDK is not
// needed otherwise: EC2's alone would take a minute to build, in `make run` too.
func (r *reader) call(ctx context.Context, service, contentType, target, body string) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, http.MethodPost, r.url(service), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", contentType)
	if target != "" {
		request.Header.Set("X-Amz-Target", target)
	}
	keys, err := r.aws.Credentials.Retrieve(limited)
	if err != nil {
		return nil, err
	}
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(body)))
	if err := v4.NewSigner().SignHTTP(limited, keys, request, sum, service, r.aws.Region, time.Now()); err != nil {
		return nil, err
	}
	response, err := r.client().Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	if err == nil && response.StatusCode != http.StatusOK {
		err = refusal(response.Status, raw)
	}
	return raw, err
}

// url is the address of a service in the region.
func (r *reader) url(service string) string {
	if given := aws.ToString(r.aws.BaseEndpoint); given != "" {
		return strings.TrimSuffix(given, "/") + "/"
	}
	domain := "amazonaws.com"
	switch {
	case strings.HasPrefix(r.aws.Region, "cn-"):
		domain = "amazonaws.com.cn"
	case strings.HasPrefix(r.aws.Region, "eusc-"):
		domain = "amazonaws.eu"
	}
	return fmt.Sprintf("https://%s.%s.%s/", service, r.aws.Region, domain)
}

// refusal is the error in an answer, which EC2 writes as XML and others as JSON.
func refusal(status string, raw []byte) error {
	var list struct {
		Code    string `xml:"Errors>Error>Code"`
		Message string `xml:"Errors>Error>Message"`
	}
	if xml.Unmarshal(raw, &list) == nil && list.Code != "" {
		return &smithy.GenericAPIError{Code: list.Code, Message: list.Message}
	}
	var object struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if json.Unmarshal(raw, &object) == nil && object.Type != "" {
		_, code, found := strings.Cut(object.Type, "#")
		if !found {
			code = object.Type
		}
		return &smithy.GenericAPIError{Code: code, Message: object.Message}
	}
	return fmt.Errorf("AWS says %s: %.200s", status, raw)
}
