//! The shapes of fields that have another form in JSON than in Rust.

use crate::extension::{Extension, SomeExtension};
use crate::json_forms::{Hash, Ms, SomeHash, SomeHashV2, SomeMs, SomeSeconds, SomeText, Text};
use crate::json_line::Line;
use crate::json_torrent::{Each, Issues};
use crate::seen_as::{SeenAs, SeenKeys};
use crate::source::Source;
use crate::summary::Clients;
use crate::tracker::{SkippedKeys, SomeFamily};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Gives each type the schema that follows it.
macro_rules! shapes {
    ($($name:ident: $schema:tt,)+) => {
        $(impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        })+
    };
}

shapes! {
    Text: { "type": "string" },
    SomeText: { "type": ["string", "null"] },
    Source: { "type": "string" },
    Ms: { "type": "number", "minimum": 0 },
    SomeMs: { "type": ["number", "null"], "minimum": 0 },
    SomeSeconds: { "type": ["integer", "null"], "minimum": 0 },
    Hash: { "type": "string", "pattern": "^[0-9a-f]{40}$" },
    Clients: { "type": "object", "additionalProperties": { "type": "integer", "minimum": 0 } },
    SkippedKeys: {
        "type": "object",
        "propertyNames": {
            "enum": ["bad_port", "bad_host", "unspecified", "duplicate", "truncated", "not_a_dict", "over_limit"],
        },
        "additionalProperties": { "type": "integer", "minimum": 0 },
    },
    SomeFamily: { "enum": ["ipv4", "ipv6", null] },
    SomeHash: { "type": ["string", "null"], "pattern": "^[0-9a-f]{40}$" },
    SomeHashV2: { "type": ["string", "null"], "pattern": "^[0-9a-f]{64}$" },
}

/// Fields whose JSON is made from another type.
macro_rules! like {
    ($($name:ty: $other:ty,)+) => {
        $(impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                generator.subschema_for::<$other>()
            }
        })+
    };
}

impl<T: JsonSchema> JsonSchema for Each<'_, T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Each_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Vec<T>>()
    }
}

impl JsonSchema for Issues {
    fn schema_name() -> Cow<'static, str> {
        "Issues".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes = metainfo::PathIssue::ALL.map(metainfo::PathIssue::code);
        json_schema!({ "type": "array", "items": { "type": "string", "enum": codes.as_slice() } })
    }
}

like! {
    SeenAs: Vec<SeenKeys>,
    SomeExtension: Option<Extension<'static>>,
}

/// The JSON Schema of every line that [`Line`] can be, as text with a property a line.
#[must_use]
pub fn schema() -> String {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.inline_subschemas = true;
    let mut line = settings.into_generator().into_root_schema_for::<Line<'static>>().to_value();
    tidy(&mut line);
    let mut variants = line.get_mut("oneOf").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
    join_goodbye_to_tracker(&mut variants);
    let root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bt-handshake, schema 1",
        "description": "Each line that --json prints is one of these. Unknown is null, never absent; new fields may come.",
        "oneOf": variants.iter().map(|variant| json!({ "$ref": format!("#/$defs/{}", name(variant)) })).collect::<Vec<_>>(),
        "$defs": variants.iter().map(|variant| (name(variant), variant.clone())).collect::<serde_json::Map<_, _>>(),
    });
    let mut text = String::new();
    write(&root, 0, &mut text);
    text + "\n"
}

/// The name of a kind of line: its type, or the first of them.
fn name(variant: &Value) -> String {
    let of_type = ["/properties/type/const", "/properties/type/enum/0"].map(|pointer| variant.pointer(pointer));
    of_type.into_iter().flatten().find_map(Value::as_str).unwrap_or_default().to_owned()
}

/// A goodbye has the properties of a tracker's line: both are described once.
fn join_goodbye_to_tracker(variants: &mut Vec<Value>) {
    variants.retain(|variant| name(variant) != "goodbye");
    let Some(tracker) = variants.iter_mut().find(|variant| name(variant) == "tracker") else { return };
    let about = "How a tracker answered or failed; as a goodbye, the event stopped that is owed to a tracker because it could not be sent";
    for (place, value) in
        [("/properties/type", json!({ "enum": ["tracker", "goodbye"] })), ("/description", json!(about))]
    {
        tracker.pointer_mut(place).into_iter().for_each(|old| *old = value.clone());
    }
}

/// Says what the types leave open: nothing is absent, and nothing else is there.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(object) => {
            // Names of Rust's, which say nothing of JSON.
            if object.get("format").is_some_and(Value::is_string) {
                object.remove("format");
            }
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            if object.contains_key("required") {
                object.insert("additionalProperties".to_owned(), json!(false));
            } else if let Some(Value::Object(properties)) = object.remove("properties") {
                // A map whose keys are codes: any of them may be there.
                object.insert("propertyNames".to_owned(), json!({ "enum": properties.keys().collect::<Vec<_>>() }));
                let of_each = properties.into_iter().next().map(|(_, of_each)| of_each);
                object.insert("additionalProperties".to_owned(), of_each.unwrap_or_default());
            }
            object.values_mut().for_each(tidy);
        }
        Value::Array(values) => values.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// Objects a key a line, down to the properties.
fn write(value: &Value, depth: usize, text: &mut String) {
    /// `$defs`, a line's name, `properties`.
    const DEEPEST: usize = 4;
    match value {
        Value::Object(object) if depth < DEEPEST && !object.is_empty() => {
            let indent = "  ".repeat(depth + 1);
            for (n, (key, value)) in object.iter().enumerate() {
                text.push_str(if n == 0 { "{\n" } else { ",\n" });
                text.push_str(&format!("{indent}{}: ", json!(key)));
                write(value, depth + 1, text);
            }
            text.push_str(&format!("\n{}}}", "  ".repeat(depth)));
        }
        other => text.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn the_schema_is_what_the_types_say() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.json");
        let made = schema();
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        let parsed: Value = serde_json::from_str(&made).unwrap();
        for (name, line) in parsed["$defs"].as_object().unwrap() {
            let required = line["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap());
            let properties = line["properties"].as_object().unwrap();
            assert_eq!(required.collect::<BTreeSet<_>>(), properties.keys().map(String::as_str).collect(), "{name}");
            assert_eq!(line["additionalProperties"], false, "{name}");
        }
        assert!(kept == made, "UPDATE_SNAPSHOTS=1 cargo test -p report writes crates/report/schema.json anew");
    }
}
