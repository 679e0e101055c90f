//! Contacts, their lists, and what they want.

use anyhow::{Context as _, Result, bail, ensure};
use domain::{
    Timestamp,
    contact::{Change, Contact, Identity},
    field::FieldValue,
    ids::{ConnectionId, ContactId, FieldId, TagId},
    inbound::{OptFlag, Sender},
    links::LinkOrigin,
    message::Channel,
    outside::ShownName,
    profile::Profile,
    record::Entry,
};
use serde_json::{Value, json};
use store::{StoreError, TenantScope, contacts::ContactWrite, preferences::LinkWrite};

use super::{PATIENCE, new_ulid, scope, succeeded};
use crate::{
    api,
    endpoints::Tenant,
    iam::Audit,
    mails,
    play::{Answer, new_phone},
    secrets::random_hex,
};

/// Contacts that `count_segment` counts in one step.
const COUNTED_AT_ONCE: usize = 100;

impl Audit<'_> {
    /// A customer who is known by everything, and one without a number, are erased. The dispatcher starts it.
    pub(super) async fn erased(&self, business: &Tenant) -> Result<()> {
        let (store, scope, from) = (&self.play.store, scope(business)?, new_phone()?);
        self.missed_from(business, &from).await?;
        self.play
            .accepted(&business.id, &from, Channel::WhatsApp, PATIENCE)
            .await?;
        let number = Identity::Phone(from);
        let caller = loop {
            let contact = store
                .contact_of(&scope, &number)
                .await?
                .context("the caller is known")?;
            match self.known_by_everything(&scope, contact, &number).await {
                Ok(id) => break id,
                // A status of the message was faster.
                Err(error) if error.downcast_ref::<StoreError>().is_some_and(StoreError::is_conflict) => {}
                Err(error) => return Err(error),
            }
        };
        let withheld = Identity::Withheld(ConnectionId::new(new_ulid()?));
        let unnamed = Contact::first_seen(ContactId::new(new_ulid()?), &withheld, Timestamp::now());
        let write = ContactWrite::new(unnamed, withheld);
        store.write_contact(&scope, &write, None).await?;
        for contact in [caller, write.contact.id] {
            self.operation(&scope, contact).await?;
        }
        self.dispatch().await
    }

    /// Gives a contact an identity of each kind that a person has, others for which it has no room, a profile, and a refusal.
    pub(super) async fn known_by_everything(
        &self,
        scope: &TenantScope,
        mut contact: Contact,
        number: &Identity,
    ) -> Result<ContactId> {
        let field = FieldId::new(new_ulid()?);
        contact.emails = vec![mails::new_address()?.parse()?];
        contact.bsuids = vec![format!("AE.{}", random_hex(8)?)];
        contact.called_from = Some(Identity::Sip(format!("sip:{}@example.test", random_hex(8)?)));
        contact.wish(OptFlag::Stop, "audited", contact.created_at);
        let profile = Profile {
            name: ShownName::of("Audited"),
            fields: [(field, FieldValue::YesNo(true))].into(),
            listed: [field].into(),
            tags: [TagId::new(new_ulid()?)].into(),
            ..Profile::default()
        };
        let new = contact.known_by().into_iter().filter(|one| one != number);
        let write = ContactWrite {
            new_identities: new.collect(),
            dropped_identities: vec![
                Identity::Phone(new_phone()?),
                Identity::Email(mails::new_address()?.parse()?),
                Identity::Bsuid(format!("AE.{}", random_hex(8)?)),
                Identity::Sip(format!("sip:{}@example.test", random_hex(8)?)),
                Identity::Withheld(ConnectionId::new(new_ulid()?)),
            ],
            profile: Some(profile.into()),
            ..ContactWrite::from(contact)
        };
        self.play.store.write_contact(scope, &write, None).await?;
        Ok(write.contact.id)
    }

    /// A new contact that is known by everything.
    pub(super) async fn known(&self, business: &Tenant) -> Result<ContactId> {
        let (store, scope) = (&self.play.store, scope(business)?);
        let number = Identity::Phone(new_phone()?);
        let contact = Contact::first_seen(ContactId::new(new_ulid()?), &number, Timestamp::now());
        let write = ContactWrite::new(contact, number.clone());
        store.write_contact(&scope, &write, None).await?;
        let contact = store.contact(&scope, write.contact.id).await?;
        let contact = contact.context("it was written")?;
        self.known_by_everything(&scope, contact, &number).await
    }

    /// A contact is erased, of which there is an archive.
    pub(super) async fn erased_with_archive(&self, business: &Tenant) -> Result<()> {
        let contact = self.known(business).await?;
        let place = self.archive_of(business, contact).await?;
        self.done(business, &place).await?;
        self.operation(&scope(business)?, contact).await?;
        self.dispatch().await
    }

    /// Changes a contact.
    pub(super) async fn edit(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        change: impl Fn(&mut Contact),
    ) -> Result<()> {
        loop {
            let changed = self.play.store.change_contact(scope, contact, new_ulid()?, |contact| {
                change(contact);
                Change::Contact
            });
            match Box::pin(changed).await {
                Ok(_) => return Ok(()),
                // A status of the message was faster.
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A contact with everything that leads to it is created, found by each list, changed, deleted, restored and erased.
    pub(super) async fn contacts(&self, business: &Tenant) -> Result<()> {
        let (own, phone) = (random_hex(4)?, new_phone()?);
        let made = async |resource: &str, body: Value| {
            let made = self
                .api(business, "POST", &format!("/api/v1/{resource}"), Some(body))
                .await?;
            ensure!(made.status == 201, "{resource}: {} {}", made.status, made.body);
            let id = api::json(&made)["id"].as_str().map(str::to_owned);
            id.context("it has an id")
        };
        let key = format!("birthday_{own}");
        made(
            "fields",
            json!({ "key": key, "name": "Birthday", "type": "date", "searchable": true }),
        )
        .await?;
        let tag = made("tags", json!({ "name": format!("Regular {own}") })).await?;
        let stage = made("stages", json!({ "name": format!("Open {own}"), "position": 1 })).await?;
        let contact = json!({
            "name": format!("Maya {own}"), "phones": [phone], "emails": [format!("{own}@example.test")], "tags": [tag],
            "stage": stage, "fields": { &key: "1990-02-28" },
        });
        let id = made("contacts", contact).await?;
        let place = format!("/api/v1/contacts/{id}");
        let digits: String = phone.digits().chars().skip(5).collect();
        for search in [
            format!("phone=%2B{}", phone.digits()),
            format!("email={own}@example.test"),
            format!("digits={digits}"),
            format!("name=maya+{own}"),
            format!("tag={tag}"),
            format!("stage={stage}"),
            format!("field={key}&day=02-28"),
            format!("field={key}&from=1990-01-01"),
        ] {
            let found = self
                .api(business, "GET", &format!("/api/v1/contacts?{search}"), None)
                .await?;
            ensure!(
                found.status == 200 && found.body.contains(&id),
                "{search}: {}",
                found.body
            );
        }
        let (other, address) = (new_phone()?, mails::new_address()?);
        let whatsapp_id = self.writes_by_whatsapp(&scope(business)?, id.parse()?).await?;
        for (method, path, body, status) in [
            (
                "PATCH",
                place.clone(),
                Some(json!({ "name": "Lea", "tags": [], "stage": null, "fields": { &key: null } })),
                200,
            ),
            ("POST", format!("{place}/phones"), Some(json!({ "phone": other })), 200),
            ("DELETE", format!("{place}/phones/%2B{}", other.digits()), None, 204),
            (
                "POST",
                format!("{place}/emails"),
                Some(json!({ "email": address })),
                200,
            ),
            ("DELETE", format!("{place}/emails/{address}"), None, 204),
            ("DELETE", format!("{place}/whatsapp-ids/{whatsapp_id}"), None, 204),
            (
                "POST",
                format!("{place}/notes"),
                Some(json!({ "text": "Likes cake." })),
                201,
            ),
            (
                "POST",
                format!("{place}/conversions"),
                Some(json!({ "what": "visit" })),
                201,
            ),
            ("GET", format!("{place}/conversions"), None, 200),
            ("GET", format!("{place}/timeline"), None, 200),
            (
                "POST",
                format!("{place}/consent"),
                Some(json!({ "choice": "refused", "channel": "sms" })),
                200,
            ),
            ("GET", format!("{place}/consent/proof"), None, 200),
            ("DELETE", place.clone(), None, 204),
            ("GET", "/api/v1/contacts?deleted=true".to_owned(), None, 200),
            ("POST", format!("{place}/restore"), None, 200),
            ("POST", format!("{place}/erase"), None, 202),
        ] {
            let answer = self.api(business, method, &path, body).await?;
            ensure!(
                answer.status == status,
                "{method} {path}: {} {}",
                answer.status,
                answer.body
            );
        }
        Ok(())
    }

    /// A contact that is known by everything is found as a duplicate, merged into another one, and separated from it again.
    pub(super) async fn merged(&self, business: &Tenant) -> Result<()> {
        let other = self.known(business).await?;
        let made = self.created(business, "contacts").await?;
        let place = made.header("location").context("it says where it is")?;
        let merge = |dry_run: bool| json!({ "contact_id": other, "dry_run": dry_run });
        let asked = async |method: &str, path: &str, body: Option<Value>| {
            let answer = self.api(business, method, path, body).await?;
            let fine = answer.status == 200;
            ensure!(fine, "{method} {path}: {} {}", answer.status, answer.body);
            Ok(api::json(&answer))
        };
        asked("GET", "/api/v1/contacts?duplicates=true", None).await?;
        asked("GET", &format!("/api/v1/contacts/{other}/duplicates"), None).await?;
        asked("POST", &format!("{place}/merge"), Some(merge(true))).await?;
        let merged = asked("POST", &format!("{place}/merge"), Some(merge(false))).await?;
        asked("GET", &format!("{place}/timeline"), None).await?;
        let undo = json!({ "merge_id": merged["merge"]["id"] });
        asked("POST", &format!("{place}/unmerge"), Some(undo)).await?;
        Ok(())
    }

    /// A number and an address are suppressed, listed, read, and removed.
    pub(super) async fn suppressed(&self, business: &Tenant) -> Result<()> {
        let number = new_phone()?;
        for (address, place) in [
            (number.to_string(), format!("%2B{}", number.digits())),
            (mails::new_address()?, String::new()),
        ] {
            let place = format!(
                "/api/v1/suppressions/{}",
                if place.is_empty() { &address } else { &place }
            );
            for (method, path, body, status) in [
                ("POST", "/api/v1/suppressions", Some(json!({ "address": address })), 201),
                ("GET", "/api/v1/suppressions", None, 200),
                ("GET", place.as_str(), None, 200),
                ("DELETE", place.as_str(), None, 204),
            ] {
                let answer = self.api(business, method, path, body).await?;
                let fine = answer.status == status;
                ensure!(fine, "{method} {path}: {} {}", answer.status, answer.body);
            }
        }
        Ok(())
    }

    /// A contact with a tag, a stage and a value, and a segment for each list that can drive one. Returns the segments' paths.
    pub(super) async fn segments(&self, business: &Tenant) -> Result<Vec<String>> {
        let own = random_hex(4)?;
        let made = async |resource: &str, body: Value| {
            let path = format!("/api/v1/{resource}");
            let made = self.api(business, "POST", &path, Some(body)).await?;
            ensure!(made.status == 201, "{resource}: {} {}", made.status, made.body);
            let id = api::json(&made)["id"].as_str().map(str::to_owned);
            id.context("it has an id")
        };
        let key = format!("level_{own}");
        let field = json!({ "key": key, "name": "Level", "type": "text", "searchable": true });
        made("fields", field).await?;
        let tag = made("tags", json!({ "name": format!("Segment {own}") })).await?;
        let stage = made("stages", json!({ "name": format!("Segment {own}"), "position": 1 })).await?;
        let name = format!("Segment {own}");
        let contact = json!({ "name": name, "tags": [tag], "stage": stage, "fields": { &key: "gold" } });
        made("contacts", contact).await?;
        let mut paths = Vec::new();
        for (driver, filter) in [
            ("all", json!({})),
            ("tag", json!({ "tag": tag })),
            ("stage", json!({ "stage": stage })),
            ("field", json!({ "field": key, "value": "gold" })),
        ] {
            let body = json!({ "name": format!("By {driver} {own}"), "filter": filter });
            let id = made("segments", body).await?;
            let path = format!("/api/v1/segments/{id}");
            let shown = self.api(business, "GET", &format!("{path}/contacts"), None).await?;
            ensure!(
                shown.status == 200 && shown.body.contains(&name),
                "{driver}: {}",
                shown.body
            );
            paths.push(path);
        }
        Ok(paths)
    }

    /// The contacts of segments are counted.
    pub(super) async fn counted(&self, business: &Tenant, segments: &[String]) -> Result<()> {
        self.crowded(business).await?;
        for segment in segments {
            let started = self.api(business, "POST", &format!("{segment}/count"), None).await?;
            self.ends_well(business, &started).await?;
        }
        Ok(())
    }

    /// A contact gets an id of WhatsApp's, as if it had written. Returns the id.
    pub(super) async fn writes_by_whatsapp(&self, scope: &TenantScope, contact: ContactId) -> Result<String> {
        let id = format!("AE.{}", random_hex(8)?);
        let sender = Sender {
            bsuid: Some(id.clone()),
            ..Sender::default()
        };
        let linked = self.play.store.change_contact(scope, contact, new_ulid()?, |contact| {
            Change::Linked(contact.link(&sender))
        });
        ensure!(Box::pin(linked).await?, "the contact is unknown");
        Ok(id)
    }

    /// More contacts than one step counts.
    pub(super) async fn crowded(&self, business: &Tenant) -> Result<()> {
        let (store, scope) = (&self.play.store, scope(business)?);
        for _ in 0..=COUNTED_AT_ONCE {
            let contact = Contact::new(ContactId::new(new_ulid()?), Timestamp::now());
            store.write_contact(&scope, &contact.into(), None).await?;
        }
        Ok(())
    }

    /// The contacts of segments are changed, then those that are named are deleted.
    pub(super) async fn changed(&self, business: &Tenant, segments: &[String]) -> Result<()> {
        let [all, tag, stage, field] = segments else {
            bail!("there are four segments");
        };
        let filter = async |segment: &str, condition: &str| {
            let shown = api::json(&self.api(business, "GET", segment, None).await?);
            let value = shown["filter"][condition].as_str().map(str::to_owned);
            value.with_context(|| format!("the segment has a {condition}"))
        };
        let (tag_id, key) = (filter(tag, "tag").await?, filter(field, "field").await?);
        let stage_id = filter(stage, "stage").await?;
        for (segment, change) in [
            (stage, json!({ "language": "en", "fields": { &key: "silver" } })),
            (stage, json!({ "fields": { &key: "gold" } })),
            (tag, json!({ "remove_tags": [tag_id], "stage": null })),
            (
                field,
                json!({ "add_tags": [tag_id], "stage": stage_id, "fields": { &key: null } }),
            ),
            (all, json!({ "language": "ar" })),
        ] {
            let id = segment.rsplit('/').next();
            let body = json!({ "segment": id, "change": change });
            let started = self
                .api(business, "POST", "/api/v1/contacts/changes", Some(body))
                .await?;
            let result = self.ends_well(business, &started).await?;
            ensure!(result["failed"] == 0, "{result}");
        }
        let shown = self.api(business, "GET", &format!("{tag}/contacts"), None).await?;
        let contacts: Vec<Value> = api::json(&shown)["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|contact| contact["id"].clone())
            .collect();
        ensure!(!contacts.is_empty(), "the tag is back: {}", shown.body);
        let body = json!({ "contacts": contacts, "change": { "delete": true } });
        let started = self
            .api(business, "POST", "/api/v1/contacts/changes", Some(body))
            .await?;
        self.ends_well(business, &started).await.map(drop)
    }

    /// As [`Audit::counted`], but its end is not waited for: it does not come.
    pub(super) async fn counted_by(&self, business: &Tenant) -> Result<()> {
        let segments = self.segments(business).await?;
        self.count_each(business, &segments).await
    }

    pub(super) async fn count_each(&self, business: &Tenant, segments: &[String]) -> Result<()> {
        for segment in segments {
            self.api(business, "POST", &format!("{segment}/count"), None).await?;
        }
        Ok(())
    }

    /// The same with a segment that one step does not count.
    pub(super) async fn counted_in_steps(&self, business: &Tenant) -> Result<()> {
        let segments = self.segments(business).await?;
        self.crowded(business).await?;
        self.count_each(business, &segments).await
    }

    /// The contacts of each segment lose a tag and a value, and those of all get a language. The end is not waited for.
    pub(super) async fn changed_by(&self, business: &Tenant) -> Result<()> {
        for segment in self.segments(business).await? {
            let shown = api::json(&self.api(business, "GET", &segment, None).await?);
            let mut change = json!({ "language": "ar" });
            if let Some(tag) = shown["filter"]["tag"].as_str() {
                change = json!({ "remove_tags": [tag] });
            }
            if let Some(key) = shown["filter"]["field"].as_str() {
                change = json!({ "fields": { key: null } });
            }
            let body = json!({ "segment": shown["id"], "change": change });
            self.api(business, "POST", "/api/v1/contacts/changes", Some(body))
                .await?;
        }
        Ok(())
    }

    /// The contacts of a segment are listed.
    pub(super) async fn segment_shown(&self, business: &Tenant) -> Result<Answer> {
        let made = self.created(business, "segments").await?;
        let place = made.header("location").context("it says where it is")?;
        self.api(business, "GET", &format!("{place}/contacts"), None).await
    }

    /// A user starts the count of a segment.
    pub(super) async fn segment_counted(&self, business: &Tenant) -> Result<Answer> {
        let made = self.created(business, "segments").await?;
        let place = made.header("location").context("it says where it is")?;
        self.api(business, "POST", &format!("{place}/count"), None).await
    }

    /// A note is written about a new contact.
    pub(super) async fn noted(&self, business: &Tenant) -> Result<Answer> {
        let made = self.created(business, "contacts").await?;
        let place = made.header("location").context("it says where it is")?;
        self.api(
            business,
            "POST",
            &format!("{place}/notes"),
            Some(json!({ "text": "Likes cake." })),
        )
        .await
    }

    /// The path of a new contact's preference page.
    pub(super) async fn preference_page(&self, business: &Tenant) -> Result<String> {
        let made = self.created(business, "contacts").await?;
        let place = made.header("location").context("it says where it is")?;
        let link = self
            .api(business, "POST", &format!("{place}/preference-link"), None)
            .await?;
        let link = succeeded(&link, "making a link")?;
        let url = link["url"].as_str().context("it has a URL")?;
        let (_, code) = url.rsplit_once("/p/").context("the URL leads to the page")?;
        Ok(format!("/p/{code}"))
    }

    /// A customer looks at their preferences.
    pub(super) async fn looked_at(&self, business: &Tenant) -> Result<u16> {
        let path = self.preference_page(business).await?;
        Ok(self.play.request("GET", &path, &[], "").await?.status)
    }

    /// A customer stops all messages.
    pub(super) async fn chosen(&self, business: &Tenant) -> Result<u16> {
        let path = self.preference_page(business).await?;
        let form = "application/x-www-form-urlencoded";
        self.post(&path, form, &[], "do=stop".to_owned()).await
    }

    /// A customer opens the link in a message that once was another contact's.
    pub(super) async fn turned_away(&self, business: &Tenant) -> Result<u16> {
        let (store, scope, from) = (&self.play.store, scope(business)?, new_phone()?);
        self.missed_from(business, &from).await?;
        self.play
            .accepted(&business.id, &from, Channel::WhatsApp, PATIENCE)
            .await?;
        let caller = store.contact_of(&scope, &Identity::Phone(from)).await?;
        let caller = caller.context("the caller is known")?;
        let entries = store.history(&scope, caller.id, 10, Timestamp::now()).await?;
        let message = entries.iter().find_map(|entry| match entry {
            Entry::Sent(message) => Some(message.id),
            _ => None,
        });
        let link = LinkWrite {
            code: random_hex(8)?.parse()?,
            contact: self.known(business).await?,
            origin: LinkOrigin::Message(message.context("the call was answered")?),
        };
        store.create_preference_link(&scope, &link, Timestamp::now()).await?;
        let path = format!("/p/{}", link.code.as_str());
        Ok(self.play.request("GET", &path, &[], "").await?.status)
    }

    /// A user erases a new contact.
    pub(super) async fn erased_by_user(&self, business: &Tenant) -> Result<Answer> {
        let made = self.created(business, "contacts").await?;
        let place = made.header("location").context("it says where it is")?;
        self.api(business, "POST", &format!("{place}/erase"), None).await
    }
}
