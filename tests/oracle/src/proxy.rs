//! The network between one terminal and the city: a TCP proxy that passes connections on to whichever gateway is there,
//! under whatever weather it is. It never looks at what it carries.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::books::Tally;
use crate::impostor::Impostor;
use crate::weather::{Sky, Way, Weather};

/// Parts of a second in which a slow network passes its share.
const SLICES: u32 = 20;

/// Where the gateways are at the moment.
#[derive(Clone, Default)]
pub struct Behind(Arc<Mutex<Vec<Option<SocketAddr>>>>);

impl Behind {
    /// So many places, all empty.
    pub fn places(count: usize) -> Self {
        Self(Arc::new(Mutex::new(vec![None; count])))
    }

    /// A gateway is there now, or no longer.
    pub fn set(&self, at: usize, gateway: Option<SocketAddr>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[at] = gateway;
    }

    /// How many there are.
    pub fn there(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().flatten().count()
    }

    async fn connect(&self, turn: u64) -> Option<TcpStream> {
        let there = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let first = usize::try_from(turn % there.len().max(1) as u64).unwrap_or(0);
        for at in 0..there.len() {
            if let Some(gateway) = there[(first + at) % there.len()]
                && let Ok(stream) = TcpStream::connect(gateway).await
            {
                return Some(stream);
            }
        }
        None
    }
}

/// One terminal's network.
pub struct Proxy {
    /// Where the terminal connects.
    pub address: SocketAddr,
    sky: watch::Sender<Sky>,
    task: tokio::task::JoinHandle<()>,
}

/// What every connection of a proxy knows.
#[derive(Clone)]
struct Line {
    sky: watch::Receiver<Sky>,
    behind: Behind,
    impostor: Impostor,
    tally: Tally,
    /// Of the connection, mixed with the proxy's seed.
    number: u64,
}

/// A connection ends with a reset.
struct Reset;

impl Proxy {
    /// Listens; the weather is clear.
    pub async fn start(behind: Behind, impostor: Impostor, tally: Tally, seed: u64) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (sky, seen) = watch::channel(Sky { spell: 0, weather: Weather::Clear });
        let task = tokio::spawn(async move {
            let turn = AtomicU64::new(0);
            while let Ok((client, _)) = listener.accept().await {
                let number = seed ^ turn.fetch_add(1, Ordering::Relaxed);
                let (behind, impostor, tally) = (behind.clone(), impostor.clone(), tally.clone());
                let line = Line { sky: seen.clone(), behind, impostor, tally, number };
                tokio::spawn(line.carry(client));
            }
        });
        Ok(Self { address, sky, task })
    }

    /// The weather changes.
    pub fn set(&self, weather: Weather) {
        self.forecast().set(weather);
    }

    /// For a task that makes the weather.
    pub fn forecast(&self) -> Forecast {
        Forecast(self.sky.clone())
    }
}

/// Makes the weather of one proxy.
pub struct Forecast(watch::Sender<Sky>);

impl Forecast {
    /// The weather changes, for connections there are as for new ones.
    pub fn set(&self, weather: Weather) {
        self.0.send_modify(|sky| *sky = Sky { spell: sky.spell + 1, weather });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Line {
    /// One connection to its end.
    async fn carry(mut self, client: TcpStream) {
        let _ = client.set_nodelay(true);
        let sky = *self.sky.borrow_and_update();
        match sky.weather {
            Weather::Refused => {
                self.tally.count("connection refused");
                return reset(&client);
            }
            Weather::Silent => {
                self.tally.count("accepted and never answered");
                let _ = self.sky.changed().await;
                return reset(&client);
            }
            Weather::Portal(portal) => {
                self.tally.count("answered by somebody else");
                return self.impostor.answer(client, portal).await;
            }
            Weather::Clear | Weather::Slow(_) | Weather::Cuts(_) | Weather::Deaf => {}
        }
        let Some(city) = self.behind.connect(self.number).await else {
            self.tally.count("no gateway there");
            return;
        };
        let _ = city.set_nodelay(true);
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_city, mut to_city) = city.into_split();
        let up = self.clone().pump(&mut from_client, &mut to_city, Way::Up);
        let down = self.clone().pump(&mut from_city, &mut to_client, Way::Down);
        if let Err(Reset) = tokio::try_join!(up, down) {
            reset(to_client.as_ref());
            reset(to_city.as_ref());
        }
    }

    async fn pump(
        mut self,
        from: &mut OwnedReadHalf,
        to: &mut OwnedWriteHalf,
        way: Way,
    ) -> Result<(), Reset> {
        let mut budget = Budget { line: self.number, way, spell: None, left: 0 };
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = tokio::select! {
                read = from.read(&mut buffer) => read,
                changed = self.sky.changed() => {
                    changed.map_err(|_| Reset)?;
                    if matches!(self.sky.borrow().weather, Weather::Refused | Weather::Portal(_)) {
                        return Err(Reset);
                    }
                    continue;
                }
            };
            let Some(read) = read.ok().filter(|read| *read > 0) else {
                // Fails only when the other side is gone already.
                let _ = to.shutdown().await;
                return Ok(());
            };
            self.pass(&buffer[..read], to, way, &mut budget).await?;
        }
    }

    /// Passes bytes on as the weather lets them.
    async fn pass(
        &mut self,
        mut rest: &[u8],
        to: &mut OwnedWriteHalf,
        way: Way,
        budget: &mut Budget,
    ) -> Result<(), Reset> {
        while !rest.is_empty() {
            let sky = *self.sky.borrow_and_update();
            let share = match sky.weather {
                Weather::Clear => rest.len(),
                Weather::Slow(bytes_per_s) => {
                    self.tally.count("slices of a slow network");
                    tokio::time::sleep(Duration::from_secs(1) / SLICES).await;
                    rest.len().min((bytes_per_s / SLICES).max(1) as usize)
                }
                Weather::Cuts(cut) if cut == way => {
                    let left = budget.left(sky.spell);
                    if rest.len() >= left {
                        let _ = to.write_all(&rest[..left]).await;
                        self.tally.count(if way == Way::Up {
                            "reset on the way up"
                        } else {
                            "reset on the way down"
                        });
                        return Err(Reset);
                    }
                    budget.left -= rest.len();
                    rest.len()
                }
                Weather::Deaf if way == Way::Down => {
                    let left = budget.left(sky.spell).min(rest.len());
                    if left == 0 {
                        self.tally.count("reply lost");
                        // The rest of the spell nothing comes back; then the connection ends.
                        let _ = self.sky.changed().await;
                        return Err(Reset);
                    }
                    budget.left -= left;
                    left
                }
                Weather::Cuts(_) | Weather::Deaf => rest.len(),
                Weather::Silent => {
                    self.tally.count("held back in silence");
                    self.sky.changed().await.map_err(|_| Reset)?;
                    continue;
                }
                Weather::Refused | Weather::Portal(_) => return Err(Reset),
            };
            to.write_all(&rest[..share]).await.map_err(|_| Reset)?;
            rest = &rest[share..];
        }
        Ok(())
    }
}

/// How many bytes a connection may still carry one way in this spell: any number, small ones as likely as large ones.
struct Budget {
    line: u64,
    way: Way,
    spell: Option<u64>,
    left: usize,
}

impl Budget {
    fn left(&mut self, spell: u64) -> usize {
        if self.spell != Some(spell) {
            self.spell = Some(spell);
            let way = u64::from(self.way == Way::Up) << 63;
            let mut random = StdRng::seed_from_u64(self.line.rotate_left(32) ^ spell ^ way);
            // Requests are large, answers small.
            let bits = random.random_range(0..=if self.way == Way::Up { 20 } else { 13 });
            self.left = random.random_range(0..1 << bits);
        }
        self.left
    }
}

/// Closing after this sends a reset and not an orderly end.
fn reset(stream: &TcpStream) {
    // A socket that is gone needs none.
    let _ = stream.set_zero_linger();
}
