//! The `OpenAPI` 3.1 document of the client API.

use serde_json::{Map, Value, json};

use super::example_request;
use crate::{
    Answer, Availability,
    endpoints::{ENDPOINTS, Endpoint, STATUS},
    errors::ERRORS,
    log::ENTRIES_MAX,
    mapreduce::{self, JOB_PATH, JOBS_PATH, JobField, Part},
    operations::{Field, OPERATIONS, OperationEntry},
    view::{self, PING_PATH, VIEW_PATH, ViewField},
};

/// The document as JSON text, its keys in alphabetical order.
#[must_use]
pub fn openapi() -> String {
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "The client API of a store under test",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "What CONTRACT.md says, for machines.",
        },
        "paths": paths(),
        "components": { "schemas": schemas() },
    });
    let mut text = serde_json::to_string_pretty(&sorted(document)).unwrap_or_default();
    text.push('\n');
    text
}

fn paths() -> Value {
    let paths = ENDPOINTS.iter().map(|endpoint| {
        let mut operation = match endpoint.path {
            "/v1/op" => run_operation(),
            "/readyz" => responses(&[("200", plain("It can.")), ("503", plain("It cannot."))]),
            PING_PATH => ping(),
            VIEW_PATH => responses(&[("200", body("The view.", &view_answer()))]),
            JOBS_PATH => start_job(),
            JOB_PATH => job_status(),
            "/v1/status" => responses(&[("200", body("Its state.", &reference("Status")))]),
            "/v1/log" => responses(&[("200", body("What it knows.", &reference("Log")))]),
            _ => responses(&[("200", plain(endpoint.answer))]),
        };
        operation["summary"] = json!(summary(endpoint));
        if !endpoint.query.is_empty() {
            let slot = json!({ "type": "integer", "minimum": 0 });
            let parameter =
                |name| json!({ "name": name, "in": "query", "required": true, "schema": slot });
            operation["parameters"] = endpoint.query.iter().map(parameter).collect();
        }
        let method = endpoint.method.to_ascii_lowercase();
        (endpoint.path.to_owned(), json!({ method: operation }))
    });
    Value::Object(paths.collect())
}

fn summary(endpoint: &Endpoint) -> String {
    match endpoint.availability {
        Availability::Now => endpoint.answer.to_owned(),
        Availability::Planned => {
            format!("Not yet, the bench does not ask for it: {}", endpoint.answer)
        }
    }
}

fn responses(responses: &[(&str, Value)]) -> Value {
    let responses: Map<String, Value> =
        responses.iter().map(|(status, answer)| ((*status).to_owned(), answer.clone())).collect();
    json!({ "responses": responses })
}

fn ping() -> Value {
    let mut operation = responses(&[
        ("200", body("The view.", &view_answer())),
        ("400", body("It is no ping, or not of a server in `DS_MEMBERS`.", &reference("Error"))),
    ]);
    operation["requestBody"] = json!({
        "required": true,
        "content": { "application/json": { "schema": reference("Ping") } },
    });
    operation
}

fn start_job() -> Value {
    let answer = object(&[("ok", reference("Job"), true)]);
    let mut operation = responses(&[
        ("200", body("The job was started.", &answer)),
        ("400", body("The request makes no sense.", &reference("Error"))),
    ]);
    operation["requestBody"] = json!({
        "required": true,
        "content": { "application/json": { "schema": reference("JobRequest") } },
    });
    operation
}

fn job_status() -> Value {
    let answer = object(&[("ok", reference("JobStatus"), true)]);
    let mut operation = responses(&[
        ("200", body("Its state.", &answer)),
        ("404", body("There is no such job.", &reference("Error"))),
    ]);
    let name = json!({ "type": "string" });
    operation["parameters"] =
        json!([{ "name": "job", "in": "path", "required": true, "schema": name }]);
    operation
}

fn view_answer() -> Value {
    object(&[("ok", reference("View"), true)])
}

fn run_operation() -> Value {
    let mut requests = Map::new();
    let mut answers = Map::new();
    for entry in OPERATIONS {
        requests.insert(entry.name.to_owned(), json!({ "value": example_request(entry) }));
        for (at, outcome) in (entry.example)().1.into_iter().enumerate() {
            let name =
                if at == 0 { entry.name.to_owned() } else { format!("{}-{}", entry.name, at + 1) };
            answers.insert(name, json!({ "value": Answer::Ok(outcome) }));
        }
    }
    let results: Vec<Value> =
        OPERATIONS.iter().map(|entry| reference(&result_name(entry))).collect();
    let ok = object(&[("ok", json!({ "anyOf": results }), true)]);
    let mut responses = Map::new();
    let mut success = body("It took effect, or its condition did not hold.", &ok);
    success["content"]["application/json"]["examples"] = Value::Object(answers);
    responses.insert("200".to_owned(), success);
    for status in ERRORS.iter().map(|entry| entry.status) {
        let codes: Vec<String> = ERRORS
            .iter()
            .filter(|entry| entry.status == status)
            .map(|entry| format!("`{}`: {}", entry.name, entry.meaning))
            .collect();
        responses.insert(status.to_string(), body(&codes.join(" "), &reference("Error")));
    }
    json!({
        "description": "At most once for each (client, seq), if the store has the capability `exactly-once`.",
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": reference("Request"), "examples": requests } },
        },
        "responses": responses,
    })
}

fn schemas() -> Value {
    let mut schemas = Map::new();
    let mut add = |name: &str, schema: Value| schemas.insert(name.to_owned(), schema);
    for entry in OPERATIONS {
        let mut operation = fields(entry.fields);
        operation["properties"]["type"] = json!({ "const": entry.name });
        if let Some(required) = operation["required"].as_array_mut() {
            required.insert(0, json!("type"));
        }
        operation["description"] = json!(entry.meaning);
        add(&operation_name(entry), operation);
        add(&result_name(entry), fields(entry.result));
    }
    let operations: Vec<Value> =
        OPERATIONS.iter().map(|entry| reference(&operation_name(entry))).collect();
    let request = object(&[
        ("client", json!({ "type": "string" }), true),
        ("seq", json!({ "type": "integer", "minimum": 1 }), true),
        ("op", json!({ "oneOf": operations, "discriminator": { "propertyName": "type" } }), true),
    ]);
    add("Request", request);
    let codes: Vec<&str> = ERRORS.iter().map(|entry| entry.name).collect();
    let refusal = object(&[
        ("code", json!({ "enum": codes }), true),
        ("message", json!({ "type": "string" }), false),
        (
            "hint",
            json!({ "type": "string", "description": "the id of the node that may know better" }),
            false,
        ),
    ]);
    add("Error", object(&[("error", refusal, true)]));
    add("MicroOperation", micro_operation());
    let status: Vec<_> = STATUS
        .iter()
        .map(|entry| {
            (entry.name, json!({ "type": entry.kind, "description": entry.meaning }), false)
        })
        .collect();
    add("Status", object(&status));
    let entry = object(&[
        ("slot", json!({ "type": "integer", "minimum": 0 }), true),
        ("value", json!({ "type": "string" }), true),
    ]);
    let entries = json!({ "type": "array", "items": entry, "maxItems": ENTRIES_MAX });
    add("Log", object(&[("entries", entries, true)]));
    add("Ping", of_view_service(false));
    add("View", of_view_service(true));
    add("JobRequest", of_mapreduce(Part::Request));
    add("Job", of_mapreduce(Part::Answer));
    add("JobStatus", of_mapreduce(Part::Status));
    Value::Object(schemas)
}

/// The fields of a ping, or of the view that answers it.
fn of_view_service(is_answer: bool) -> Value {
    let fields = view::FIELDS.iter().filter(|field| field.is_answer == is_answer);
    let schema = |field: &ViewField| match field.kinds {
        ["integer"] => json!({ "type": "integer", "minimum": 0, "description": field.meaning }),
        [kind] => json!({ "type": kind, "description": field.meaning }),
        kinds => json!({ "type": kinds, "description": field.meaning }),
    };
    object(&fields.map(|field| (field.name, schema(field), true)).collect::<Vec<_>>())
}

/// The fields of this part.
fn of_mapreduce(part: Part) -> Value {
    let fields = mapreduce::FIELDS.iter().filter(|field| field.part == part);
    let schema = |field: &JobField| {
        let mut schema = json!({ "type": field.kind, "description": field.meaning });
        if field.kind == "array" {
            schema["items"] = json!({ "type": "string" });
        }
        schema
    };
    let fields = fields.map(|field| (field.name, schema(field), field.required));
    object(&fields.collect::<Vec<_>>())
}

fn micro_operation() -> Value {
    let word = |name: &str| json!({ "const": name });
    let text = || json!({ "type": "string" });
    let tuple = |items: Vec<Value>| {
        let length = items.len();
        json!({ "type": "array", "prefixItems": items, "minItems": length, "maxItems": length })
    };
    json!({ "oneOf": [
        tuple(vec![word("r"), text()]),
        tuple(vec![word("w"), text(), text()]),
        tuple(vec![word("append"), text(), text()]),
    ] })
}

fn operation_name(entry: &OperationEntry) -> String {
    format!("op.{}", entry.name)
}

fn result_name(entry: &OperationEntry) -> String {
    format!("result.{}", entry.name)
}

fn fields(fields: &[Field]) -> Value {
    let fields: Vec<_> = fields
        .iter()
        .map(|field| {
            let mut schema = (field.shape.schema)();
            schema["description"] = json!(field.meaning);
            (field.name, schema, field.required)
        })
        .collect();
    object(&fields)
}

fn object(fields: &[(&str, Value, bool)]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|(name, schema, _)| ((*name).to_owned(), schema.clone())).collect();
    let required: Vec<&str> =
        fields.iter().filter(|(.., required)| *required).map(|(name, ..)| *name).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn plain(description: &str) -> Value {
    json!({ "description": description })
}

fn body(description: &str, schema: &Value) -> Value {
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

/// The same document whatever order `serde_json` was built to keep.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> =
                fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_planned_says_so() {
        let document: Value = serde_json::from_str(&openapi()).unwrap();
        for Endpoint { method, path, availability, .. } in &ENDPOINTS {
            let method = method.to_ascii_lowercase();
            let summary = document["paths"][*path][method]["summary"].to_string();
            let is_planned = *availability == Availability::Planned;
            assert_eq!(summary.contains("Not yet"), is_planned, "{path}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_operation_is_there() {
        let text = openapi();
        let document: Value = serde_json::from_str(&text).unwrap();
        let references =
            text.split("\"$ref\": \"#").skip(1).filter_map(|rest| rest.split('"').next());
        for pointer in references {
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
        for entry in OPERATIONS {
            let pointer =
                format!("/components/schemas/{}/properties/type/const", operation_name(entry));
            assert_eq!(document.pointer(&pointer), Some(&json!(entry.name)));
        }
    }
}
