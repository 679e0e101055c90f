//! Whether a person may get a message, because of what they wish and of what they did.

use jiff::Timestamp;

use crate::people::{By, Contact, SERVICE_WINDOW, Scope, Wish};
use crate::terms::{Basis, CancelEvent, Category, Channel, Narrowing, Policy, Purpose, Reason, Refusal, Stop};

/// Whether the wishes of a person allow a message of this purpose and category by this channel. Without a channel: by any. As
/// [`check_policy_wishes`], for a policy that nobody narrowed.
pub fn check_wishes(
    contact: &Contact,
    channel: Option<Channel>,
    category: Category,
    purpose: Purpose,
) -> Result<(), Refusal> {
    let policy = Policy::for_purpose(purpose, category, &Narrowing::default())
        .map_err(|error| Refusal::new(Reason::Template, error.to_string()))?;
    check_policy_wishes(&policy, contact, channel, "it")
}

/// Whether the wishes of a person allow a message with this policy by this channel. Without a channel: by any. `who` needs the
/// consent, in words.
///
/// | refusal | a person's reply to what the customer wrote since | a code just requested | any other message |
/// | --- | --- | --- | --- |
/// | of all channels | sent | sent | refused |
/// | of one channel | refused on it | sent | refused on it |
///
/// The confirmation of a stop word is sent in spite of the refusal by that word, as long as it holds, and of no other.
///
/// Each refusal that covers the message's channel and category must let it pass, so the strictest holds. If the policy demands an
/// opt-in, one must cover the channel and the category, too.
pub fn check_policy_wishes(
    policy: &Policy,
    contact: &Contact,
    channel: Option<Channel>,
    who: &str,
) -> Result<(), Refusal> {
    let (wishes, category) = (&contact.consent, policy.category());
    let passes = |refusal: &Wish| match policy.stop() {
        Stop::Obey => false,
        // The customer chose the other channel, which can carry the reply.
        Stop::UnlessWrittenSince if refusal.channel.is_some() => false,
        Stop::UnlessWrittenSince => contact.last_inbound_at.is_some_and(|written| written > refusal.at),
        Stop::Requested => true,
        Stop::Confirms => is_of_stop_word(refusal),
    };
    let refusals = wishes.refusals();
    let refusals = refusals.filter(|refusal| refusal.scope().has(channel, category) && !passes(refusal));
    // The widest one is the reason, and of several the newest.
    if let Some(refusal) = refusals.min_by_key(|refusal| (refusal.scope(), std::cmp::Reverse(refusal.at))) {
        return Err(refusal.refusal());
    }
    if policy.stop() == Stop::Confirms && !wishes.refusals().any(is_of_stop_word) {
        let sentence = format!("{who} confirms a stop word, and none holds any more");
        return Err(Refusal::since(CancelEvent::Settled, sentence));
    }
    if policy.needs_opt_in() && wishes.opt_in(channel, category).is_none() {
        let only = channel.filter(|_| wishes.opt_in(None, category).is_some());
        let what = match only {
            Some(channel) => format!(
                "{who} needs an opt-in for {}, and this person gave none",
                channel.name()
            ),
            None => format!("{who} needs an opt-in, and this person gave none"),
        };
        let refusal = Refusal::new(Reason::NoConsent, what).and("needs", "opt_in");
        return Err(refusal.and_if("channel", only.map(Channel::as_str)));
    }
    Ok(())
}

/// Whether it is the refusal of all messages by a stop word.
fn is_of_stop_word(refusal: &Wish) -> bool {
    refusal.by == By::Keyword && refusal.scope() == Scope::ALL
}

/// Whether a person may get a message with this policy by any channel: their wishes, and the ground that its purpose demands, such
/// as a message of theirs.
pub fn check_welcome(policy: &Policy, contact: &Contact, who: &str, now: Timestamp) -> Result<(), Refusal> {
    check_policy_wishes(policy, contact, None, who)?;
    let missing = |needs: &'static str, what: &str| {
        Err(Refusal::new(Reason::NoConsent, format!("{who} needs {what}")).and("needs", needs))
    };
    let wrote_lately = || contact.last_inbound_at.is_some_and(|at| now < at + SERVICE_WINDOW);
    match policy.basis() {
        Basis::Written if contact.last_inbound_at.is_none() => {
            missing("message", "a message from this person, who wrote none")
        }
        Basis::Conversation if !wrote_lately() && !contact.any_window_open(now) => {
            missing("recent_message", "a message from this person within the last 24 h")
        }
        Basis::Window if !contact.any_window_open(now) => {
            missing("open_window", "an open service window, and this person's has closed")
        }
        Basis::Subject | Basis::OptIn | Basis::Written | Basis::Conversation | Basis::Window => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::people::{Choice, ConsentCategory};
    use crate::samples::{CHANNELS, NOON, at, contact, contact_with_wishes, hour, scope};
    use crate::terms::PURPOSE_TABLE;

    /// The table of [`check_policy_wishes`], for every row of the purposes' table. STOP leaves two exceptions, and its own confirmation.
    #[test]
    fn stop_beats_everything_but_reply_and_code() {
        for refused in CHANNELS {
            let mut contact = contact_with_wishes(&[
                (Choice::Granted, Scope::ALL, By::Keyword),
                (Choice::Refused, scope(refused, None), By::Keyword),
            ]);
            for wrote_since in [false, true] {
                contact.last_inbound_at = Some(hour(if wrote_since { 2 } else { 1 }));
                for row in &PURPOSE_TABLE {
                    for kind in row.kinds {
                        for channel in CHANNELS {
                            let meant = refused.is_none() || refused == channel;
                            let excepted = match row.purpose {
                                Purpose::OneTimeCode => true,
                                Purpose::Reply => wrote_since && refused.is_none(),
                                Purpose::StopConfirmation => refused.is_none(),
                                _ => false,
                            };
                            let sent = check_wishes(&contact, channel, kind.category, row.purpose).is_ok();
                            // There is nothing to confirm if it was not all messages that were refused.
                            let meant = meant || row.purpose == Purpose::StopConfirmation;
                            let case = (refused, wrote_since, row.purpose, kind.category, channel);
                            assert_eq!(sent, !meant || excepted, "{case:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn narrow_refusal_concerns_its_channel_and_category_only() {
        let offers = Some(ConsentCategory::Marketing);
        let contact = contact_with_wishes(&[
            (Choice::Granted, Scope::ALL, By::Keyword),
            (Choice::Refused, scope(Some(Channel::Sms), offers), By::Page),
        ]);
        let sent = |channel, category| check_wishes(&contact, Some(channel), category, Purpose::FollowUp).is_ok();
        assert!(!sent(Channel::Sms, Category::Marketing));
        assert!(sent(Channel::WhatsApp, Category::Marketing));
        assert!(sent(Channel::Sms, Category::Utility));
        let why = check_wishes(&contact, Some(Channel::Sms), Category::Marketing, Purpose::FollowUp).unwrap_err();
        assert_eq!(
            why.sentence,
            "no marketing by SMS wanted since 20 November 2026 (said so)"
        );
        assert_eq!(why.reason, Reason::OptedOut);
    }

    /// An opt-in for one channel is none for another, and "welcome again" is none at all.
    #[test]
    fn marketing_needs_an_opt_in_for_its_channel() {
        let offers = Some(ConsentCategory::Marketing);
        let sent = |contact: &Contact, channel| {
            let asked = check_wishes(contact, channel, Category::Marketing, Purpose::Campaign);
            asked.map_err(|refusal| refusal.sentence)
        };
        let none = Err("it needs an opt-in, and this person gave none".to_owned());
        let granted = contact_with_wishes(&[(Choice::Granted, scope(Some(Channel::WhatsApp), offers), By::Key)]);
        assert_eq!(sent(&granted, Some(Channel::WhatsApp)), Ok(()));
        assert_eq!(sent(&granted, None), Ok(()));
        let missing = "it needs an opt-in for SMS, and this person gave none".to_owned();
        assert_eq!(sent(&granted, Some(Channel::Sms)), Err(missing));
        let lifted = contact_with_wishes(&[(Choice::Lifted, Scope::MARKETING, By::Provider)]);
        assert_eq!(sent(&lifted, None), none);
        let utility = scope(None, Some(ConsentCategory::Utility));
        assert_eq!(
            sent(&contact_with_wishes(&[(Choice::Granted, utility, By::Page)]), None),
            none
        );
    }

    /// Nobody is told that no messages follow who has just asked for them again.
    #[test]
    fn stop_is_confirmed_only_while_it_holds() {
        let confirms = |contact: &Contact| {
            let asked = check_wishes(contact, None, Category::Service, Purpose::StopConfirmation);
            asked.map_err(|refusal| refusal.reason)
        };
        let stop = (Choice::Refused, Scope::ALL, By::Keyword);
        assert_eq!(confirms(&contact_with_wishes(&[stop])), Ok(()));
        for choice in [Choice::Granted, Choice::Lifted] {
            let start = (choice, Scope::ALL, By::Keyword);
            assert_eq!(
                confirms(&contact_with_wishes(&[stop, start])),
                Err(Reason::Unnecessary),
                "{choice:?}"
            );
        }
        assert_eq!(confirms(&contact()), Err(Reason::Unnecessary));
    }

    /// By SMS there is no window: the last message counts on any channel.
    #[test]
    fn answers_need_a_message_within_a_day_or_the_window() {
        let second = SignedDuration::from_secs(1);
        let policy = |purpose| Policy::for_purpose(purpose, Category::Service, &Narrowing::default()).unwrap();
        let is_welcome = |purpose, contact: &Contact| check_welcome(&policy(purpose), contact, "it", at(NOON)).is_ok();
        let silent = contact();
        let mut wrote = contact();
        wrote.last_inbound_at = Some(at(NOON) - SERVICE_WINDOW + second);
        let mut wrote_before = contact();
        wrote_before.last_inbound_at = Some(at(NOON) - SERVICE_WINDOW);
        let mut called = contact();
        called.open_window(
            &"+97143330000".parse().unwrap(),
            &called.recipient(),
            at(NOON) - SERVICE_WINDOW + second,
        );
        for (contact, reply, script) in [
            (&silent, false, false),
            (&wrote, true, false),
            (&wrote_before, false, false),
            (&called, true, true),
        ] {
            for purpose in [Purpose::Reply, Purpose::AutoReply] {
                assert_eq!(is_welcome(purpose, contact), reply);
            }
            let mut stopped = contact.clone();
            stopped.record(Wish::new(
                Choice::Refused,
                Scope::ALL,
                By::Keyword,
                "wrote STOP",
                at(NOON),
            ));
            assert_eq!(is_welcome(Purpose::StopConfirmation, &stopped), reply);
            assert_eq!(is_welcome(Purpose::Feedback, contact), script);
        }
        let why = check_welcome(&policy(Purpose::Reply), &silent, "it", at(NOON)).unwrap_err();
        assert_eq!(why.sentence, "it needs a message from this person within the last 24 h");
    }
}
