package secrets

import (
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// The protocol is AWS JSON 1.1: a POST to / whose header names the operation.
const (
	operation   = "secretsmanager.GetSecretValue"
	contentType = "application/x-amz-json-1.1"
)

// messages are what AWS says with the exceptions; others say their own name.
var messages = map[string]string{
	"ResourceNotFoundException": "Secrets Manager can't find the specified secret.",
	"AccessDeniedException": "User is not authorized to perform: secretsmanager:GetSecretValue on this resource " +
		"because no identity-based policy allows the action",
	"ThrottlingException":     "Rate exceeded",
	"DecryptionFailure":       "Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
	"InvalidRequestException": "You can't perform this operation on the secret because it was marked for deletion.",
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Amz-Target") != operation {
		fail(w, "UnknownOperationException", "only "+operation+" is known here")
		return
	}
	var request struct{ SecretId string }
	if err := json.NewDecoder(io.LimitReader(r.Body, 64<<10)).Decode(&request); err != nil {
		fail(w, "SerializationException", err.Error())
		return
	}
	found, reply := s.next(request.SecretId)
	switch {
	case reply.hang:
		select {
		case <-r.Context().Done():
		case <-s.quit:
		}
		panic(http.ErrAbortHandler) // no answer at all
	case reply.failure != "":
		message := messages[reply.failure]
		if message == "" {
			message = reply.failure
		}
		fail(w, reply.failure, message)
		return
	}
	body := map[string]any{
		"ARN": found.arn, "Name": found.name, "VersionId": "00000000-0000-4000-8000-000000000000",
		"VersionStages": []string{"AWSCURRENT"}, "CreatedDate": float64(time.Now().Unix()),
	}
	if reply.binary != nil {
		body["SecretBinary"] = reply.binary
	} else {
		body["SecretString"] = reply.text
	}
	w.Header().Set("Content-Type", contentType)
	json.NewEncoder(w).Encode(body)
}

// next is the secret's next answer. id is an ARN, whole or without its random
// end, or a name.
func (s *Server) next(id string) (*secret, answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.known[id]
	for _, arn := range []string{arnOf(id), id + "-AbCdEf"} {
		if found == nil {
			found = s.known[arn]
		}
	}
	if found == nil {
		return nil, answer{failure: "ResourceNotFoundException"}
	}
	found.reads++
	return found, found.answers[min(found.reads, len(found.answers))-1]
}

func fail(w http.ResponseWriter, exception, message string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Amzn-Errortype", exception)
	w.WriteHeader(http.StatusBadRequest)
	json.NewEncoder(w).Encode(map[string]string{"__type": exception, "message": message})
}
