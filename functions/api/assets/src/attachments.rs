//! Attachments: files that a user uploads for one reply. They are assets in the partition of the conversation's contact, so that they are
//! erased with it, and kept as long as the message that carries them. The audit log has no more of them than of the reply.

use api::{
    Allowed, Api, AuditedReads, Body, Created, FileScanner, Path, RACES, Setback, Tagged, continuation_problem, itself,
    permits, require_found,
};
use axum::Extension;
use axum::extract::State;
use domain::accounts::{Look, Permission};
use domain::media::{Asset, AssetState};
use domain::terms::{AttachmentId, ConversationId};
use kit::{Files, Problem};
use store::Versioned;
use store::inbox::KnownConversation;
use store::table::rates::Limit;

use crate::models::{AssetOut, NewAsset};
use crate::{asset_to_upload, complete, download, upload};

type Replying = Allowed<permits::MessagesSend>;

/// Attachments that one person, or one API key, creates per hour.
const CREATED: Limit = Limit::per_hour(100);

/// Attachments that a tenant creates per hour.
const CREATED_BY_ALL: Limit = Limit::per_hour(1_000);

pub(crate) async fn create_attachment(
    who: Replying,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Path(id): Path<ConversationId>,
    Body(new): Body<NewAsset>,
) -> Result<Created<AssetOut>, Problem> {
    let known = open(&who, &api, id).await?;
    let name = new.name.clone();
    let attachment = Asset::attachment(id, who.ulid(), name, who.correlation_id(), who.now());
    let (who, api, attachment) = (&who, &api, &asset_to_upload(attachment, new)?);
    api.limit(who, &format!("ATTACHMENTS-{}", who.actor()), CREATED).await?;
    api.limit(who, "ATTACHMENTS", CREATED_BY_ALL).await?;
    let (store, scope) = (api.store(), who.scope());
    let read = || open(who, api, id);
    let created = RACES.until_won_from(known, read, |known| async move {
        let holder = known.person.contact.id;
        match store.create_attachment(scope, attachment, holder).await {
            // Ids are nobody else's, so this is the one that the interrupted request created.
            Err(error) if error.is_conflict() => store.asset(scope, attachment.id).await?.ok_or(Setback::Lost),
            created => {
                created?;
                Ok::<_, Setback>(Versioned {
                    version: 1,
                    value: attachment.clone(),
                })
            }
        }
    });
    let Versioned { version, value } = Box::pin(created).await?;
    let upload = upload(who, &files, &value).await?;
    Ok(Created {
        location: format!("/api/v1/conversations/{id}/attachments/{}", value.id),
        version,
        body: AssetOut::from(value).with_upload(upload),
    })
}

/// The conversation, if it can be replied in.
async fn open(who: &Replying, api: &Api, id: ConversationId) -> Result<KnownConversation, Problem> {
    let known = require_found(api.store().known_conversation(who.scope(), id, who.now())).await?;
    if let Some(on) = known.continued {
        return Err(continuation_problem("conversation_continued", on));
    }
    itself(id.contact(), &known.person.contact)?;
    Ok(known)
}

pub(crate) async fn get_attachment(
    who: Allowed<permits::MediaRead>,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Extension(reads): Extension<AuditedReads>,
    Path((conversation, id)): Path<(ConversationId, AttachmentId)>,
) -> Result<Tagged<AssetOut>, Problem> {
    // Hidden with its contact.
    let known = require_found(api.store().known_conversation(who.scope(), conversation, who.now())).await?;
    // A contact's timeline has the replies of those that were merged into it, and a conversation those without a line.
    if !known.person.contact.is(id.contact()) {
        return Err(Problem::not_found());
    }
    let Versioned { version, value } = find_kept_attachment(&who, &api, id).await?;
    let upload = if value.state == AssetState::AwaitingUpload && who.principal().may(Permission::MessagesSend) {
        upload(&who, &files, &value).await?
    } else {
        None
    };
    if value.state == AssetState::Ready {
        let contact = known.person.contact.id;
        reads.record(&api, &who, Look::Media, contact).await?;
    }
    let download = download(&who, &files, &value).await?;
    let body = AssetOut::from(value).with_upload(upload).with_download(download);
    Ok(Tagged { version, body })
}

pub(crate) async fn complete_attachment(
    who: Replying,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Extension(scanner): Extension<FileScanner>,
    Path((conversation, id)): Path<(ConversationId, AttachmentId)>,
) -> Result<Tagged<AssetOut>, Problem> {
    let known = find_in_conversation(&who, &api, conversation, id).await?;
    let completed = Box::pin(complete(&who, &api, &files, &scanner, known)).await?;
    Ok(Tagged::of(completed))
}

/// An attachment of this conversation.
async fn find_in_conversation<P: permits::Permit>(
    who: &Allowed<P>,
    api: &Api,
    conversation: ConversationId,
    id: AttachmentId,
) -> Result<Versioned<Asset>, Problem> {
    let known = find_kept_attachment(who, api, id).await?;
    let of = known.value.attached.as_ref().map(|attached| attached.conversation);
    if of != Some(conversation) {
        return Err(Problem::not_found());
    }
    Ok(known)
}

/// An attachment that is still kept.
async fn find_kept_attachment<P: permits::Permit>(
    who: &Allowed<P>,
    api: &Api,
    id: AttachmentId,
) -> Result<Versioned<Asset>, Problem> {
    let known = require_found(api.store().asset(who.scope(), id)).await?;
    if known.value.is_over(who.now()) {
        return Err(Problem::not_found());
    }
    Ok(known)
}
