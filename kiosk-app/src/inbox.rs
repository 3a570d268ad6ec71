//! The one way into the session: a bounded queue that touches, devices, timers and the store write to.

use kiosk_core::session::{Citizen, City, Device, EngineAnswer, Event, Store, Ticket};

/// What can be put into the queue.
#[derive(Debug)]
pub enum Message {
    /// Something happened.
    Event(Event),
    /// A ready phrase was touched; which words it has depends on the language shown.
    PhraseTapped(usize),
    /// A cell of the picker was touched; what it holds depends on what was chosen before.
    PickerTapped(usize),
    /// Text from a real keyboard; what it means depends on the page.
    KeyboardTyped(String),
    /// The camera's newest picture lies ready.
    PreviewMoved,
    /// A good moment to see whether there is another catalog.
    LookForCatalog,
}

/// More than this many unread messages means that the loop hangs; then newer ones are dropped.
const WAITING_MAX: usize = 1_024;

/// The writing end. Cloned into every thread.
#[derive(Clone, Debug)]
pub struct Inbox(async_channel::Sender<Message>);

/// The queue: writing end and reading end.
pub fn inbox() -> (Inbox, async_channel::Receiver<Message>) {
    let (sender, receiver) = async_channel::bounded(WAITING_MAX);
    (Inbox(sender), receiver)
}

impl Inbox {
    /// Puts a message in. Never blocks: a device thread must not hang because the screen does.
    pub fn put(&self, message: Message) {
        if self.0.try_send(message).is_err() {
            tracing::error!("the inbox is full or closed: an event was dropped");
        }
    }

    /// A touch of the resident.
    pub fn citizen(&self, touch: Citizen) {
        self.put(Message::Event(Event::Citizen(touch)));
    }

    /// A report of a device.
    pub fn device(&self, report: Device) {
        self.put(Message::Event(Event::Device(report)));
    }

    /// An answer of the store.
    pub fn store(&self, answer: Store) {
        self.put(Message::Event(Event::Store(answer)));
    }

    /// An answer of the city, or none.
    pub fn city(&self, answer: City) {
        self.put(Message::Event(Event::City(answer)));
    }

    /// An answer of the engine behind the keyboard on the screen.
    pub fn engine(&self, answer: EngineAnswer) {
        self.put(Message::Event(Event::Engine(answer)));
    }

    /// A timer that ran out.
    pub fn timer(&self, ticket: Ticket) {
        self.put(Message::Event(Event::Timer(ticket)));
    }
}
