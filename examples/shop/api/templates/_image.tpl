{{/* One place says what runs, so that the migration can never be of another version. */}}
{{- define "api.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- end -}}
