//! Files that come and go: an import from the upload to its result, an export of what it made, and an archive of one contact, through
//! the public API.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use stack::api;
use stack::play::{Look, until};

use crate::stage::{Business, PATIENCE, on_stage};

const IMPORTS: &str = "/api/v1/imports";
const EXPORTS: &str = "/api/v1/exports";

/// The text of a file.
pub(crate) async fn download(business: &Business<'_>, link: &Value) -> Result<String> {
    let url = link["url"].as_str().context("a link has a URL")?;
    let answer = business.stage.play.http.get(url).send().await?;
    ensure!(answer.status().is_success(), "{}", answer.status());
    Ok(answer.text().await?)
}

#[test]
fn uploaded_table_becomes_contacts_that_can_be_exported() {
    on_stage(async |stage| {
        let business = stage.business("Importing").await?;
        let mut table = "Name;Mobile;E-mail\r\n".to_owned();
        for number in 100..200 {
            let row = format!("Maya Haddad {number};+971501234{number};maya{number}@example.com\r\n");
            table.push_str(&row);
        }
        table.push_str("Wrong;12;\r\nTwice;+971501234100;\r\n");
        let create = json!({"name": "customers.csv", "size": table.len()});
        let import = business.api("post", IMPORTS, Some(create)).await?;
        let upload = &import["upload"];
        let sent = api::upload(&stage.play, upload, table.clone()).await?;
        ensure!(sent.is_success(), "the file is not taken: {sent}");
        let mut other = upload.clone();
        other["headers"]["content-length"] = (table.len() + 1).to_string().into();
        let longer = api::upload(&stage.play, &other, format!("{table}+")).await?;
        ensure!(longer.as_u16() == 403, "only the stated length is taken: {longer}");

        let id = import["id"].as_str().context("an import has an id")?;
        let place = format!("{IMPORTS}/{id}");
        let preview = format!("{place}/preview");
        let preview = business.api("post", &preview, Some(json!({}))).await?;
        ensure!(preview["table"]["separator"] == "semicolon", "{preview}");
        ensure!(preview["rows"][0]["becomes"] == "created", "{preview}");
        let settings = json!({"mapping": preview["mapping"], "mode": "skip"});
        business.api("post", &format!("{place}/start"), Some(settings)).await?;
        let shown = business.wait_until_done(&place).await?;
        let result = &shown["operation"]["result"];
        let counts = ["rows", "created", "skipped", "refused"].map(|name| result[name].as_u64().unwrap_or_default());
        ensure!(counts == [102, 100, 1, 1], "{result}");
        let refused = download(&business, &shown["errors_file"]).await?;
        ensure!(refused.lines().count() == 2 && refused.contains("Wrong"), "{refused}");
        let path = "/api/v1/contacts?phone=%2B971501234100";
        let found = business.api("get", path, None).await?;
        ensure!(found["items"][0]["name"] == "Maya Haddad 100", "{found}");

        let export = business.api("post", EXPORTS, Some(json!({"what": "contacts"}))).await?;
        let id = export["id"].as_str().context("an export has an id")?;
        let shown = business.wait_until_done(&format!("{EXPORTS}/{id}")).await?;
        let file = download(&business, &shown["file"]).await?;
        ensure!(file.lines().count() == 101, "a header and a hundred contacts: {file}");
        ensure!(file.contains("'+971501234199"), "numbers are no formulas: {file}");

        let wanted = [("created", "operation"), ("read", "export")];
        until(PATIENCE, "the export in the audit log", async || {
            let log = business.api("get", &format!("/api/v1/audit?object={id}"), None).await?;
            let entries = log["items"].as_array().cloned().unwrap_or_default();
            let has = |(action, kind): &(&str, &str)| {
                let same = |entry: &Value| entry["action"] == *action && entry["kind"] == *kind;
                entries.iter().any(same)
            };
            Ok(Look::when(wanted.iter().all(has), || log.to_string()))
        })
        .await
    });
}

/// A contact's archive is one document, its link is in the audit log, and the erasure deletes it.
#[test]
fn archive_of_a_contact_goes_with_its_erasure() {
    on_stage(async |stage| {
        let business = stage.business("Archiving").await?;
        let body = json!({"name": "Maya Haddad", "phones": ["+971501234567"]});
        let contact = business.api("post", "/api/v1/contacts", Some(body)).await?;
        let id = contact["id"].as_str().context("a contact has an id")?;
        let place = format!("/api/v1/contacts/{id}");
        let note = json!({"text": "Likes saffron cake."});
        business.api("post", &format!("{place}/notes"), Some(note)).await?;
        let archive = business.api("post", &format!("{place}/archive"), None).await?;
        let archive = archive["id"].as_str().context("an archive has an id")?;
        let archive = format!("{place}/archive/{archive}");
        let link = business.wait_until_done(&archive).await?["file"].clone();
        let document: Value = serde_json::from_str(&download(&business, &link).await?)?;
        ensure!(document["contact"]["name"] == "Maya Haddad", "{document}");
        ensure!(document["notes"][0]["text"] == "Likes saffron cake.", "{document}");
        let log = business.api("get", &format!("/api/v1/audit?object={id}"), None).await?;
        let entries = log["items"].as_array().cloned().unwrap_or_default();
        let is_look = |entry: &Value| entry["action"] == "read" && entry["changes"][0]["field"] == "archive";
        ensure!(entries.iter().any(is_look), "{log}");

        let erasure = business.api("post", &format!("{place}/erase"), None).await?;
        business.wait_for_operation(&erasure).await?;
        let url = link["url"].as_str().context("a link has a URL")?;
        let gone = stage.play.http.get(url).send().await?.status();
        ensure!(gone.is_client_error(), "the file is still there: {gone}");
        Ok(())
    });
}
