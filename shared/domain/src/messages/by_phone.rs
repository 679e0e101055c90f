//! Messages that somebody of the business writes in the app of its own phone, which shares the number with us. The provider reports them
//! when they are sent. The reported time may be that of the report, so it is no earlier than the sending, and in whole seconds.

use jiff::Timestamp;

use crate::messages::{AttemptState, Cause, Composed, Content, InboundMessage, Leg, Message, Remark, StatusReport};
use crate::terms::{
    Category, ConnectionId, ConversationId, Facts, Narrowing, NoSuchCategory, Policy, Purpose, Reason, Recipient,
    Refusal, Timers, derive_id,
};

/// The message as it is stored: sent already, with nothing left to do. `echo` names its recipient as its sender. Of a file without a
/// caption, only the kind is known.
///
/// # Errors
/// If the purpose of replies has no free text.
pub fn message_by_phone(
    conversation: ConversationId,
    connection: ConnectionId,
    echo: &InboundMessage,
    keep_until: Timestamp,
    correlation_id: &str,
    timers: &Timers,
) -> Result<Message, NoSuchCategory> {
    let (at, provider_ref) = (echo.at, echo.provider_ref.clone());
    let millisecond = u64::try_from(at.as_millisecond()).unwrap_or_default();
    let own = derive_id(millisecond, format!("by_phone#{provider_ref}").as_bytes());
    let text = echo.text.as_ref().unwrap_or(&echo.kind);
    let composed = Composed {
        cause: Cause::ByPhone { conversation, own },
        policy: Policy::for_purpose(Purpose::Reply, Category::Service, &Narrowing::default())?,
        to: Recipient {
            phone: echo.from.phone.clone(),
            bsuid: echo.from.bsuid.clone(),
        },
        line: conversation.line(),
        basis: None,
        behind: None,
        legs: vec![Leg {
            channel: echo.channel,
            connection,
            sender: None,
            content: Content::Text(text.clone()),
            reply_to: echo.reply_to.clone(),
        }],
        refused_sms: None,
        not_before: at,
        called_at: None,
        keep_until,
        sentence: String::new(),
        facts: Facts::NONE,
    };
    let mut message = composed.message(correlation_id.to_owned(), at, timers);
    let number = message.claim(0, String::new(), at, timers).attempt;
    let sent = StatusReport {
        state: AttemptState::Sent,
        at,
        provider_ref,
        error: None,
        cost: None,
    };
    message.apply(number, sent, at, timers);
    let remark = if echo.standby {
        Refusal::new(Reason::SentElsewhere, "sent by another app that shares the number")
    } else {
        Refusal::new(Reason::SentByPhone, "sent on the business's own phone")
    };
    message.remarks.push(Remark::new(at, remark));
    Ok(message)
}
