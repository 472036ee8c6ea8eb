//! The operations of the contract, carried out by Redis.
//!
//! Redis executes one command after the other, and a script is one command. What is no command of its own is a script, which
//! reads the operation as it travels in the contract and answers in the contract's words.

use adapter::refusals;
use contract::{Operation, Outcome, Refusal};
use redis::{Cmd, FromRedisValue, Script, aio::MultiplexedConnection};
use serde_json::Value;

use crate::errors::refusal;

pub(crate) struct Operations {
    script: Script,
}

impl Default for Operations {
    fn default() -> Self {
        Self { script: Script::new(include_str!("operations.lua")) }
    }
}

impl Operations {
    pub(crate) async fn perform(
        &self,
        connection: &mut MultiplexedConnection,
        operation: &Operation,
    ) -> Result<Outcome, Refusal> {
        match operation {
            Operation::Get { key } => {
                Ok(Outcome::Value { value: query(connection, &Cmd::get(key)).await? })
            }
            Operation::Put { key, value } => {
                let () = query(connection, &Cmd::set(key, value)).await?;
                Ok(Outcome::Done {})
            }
            Operation::MultiGet { keys } if !keys.is_empty() => {
                let values: Vec<Option<String>> = query(connection, &Cmd::mget(keys)).await?;
                Ok(Outcome::Values { values: keys.iter().cloned().zip(values).collect() })
            }
            Operation::MultiPut { values } if !values.is_empty() => {
                let pairs: Vec<(&String, &String)> = values.iter().collect();
                let () = query(connection, &Cmd::mset(&pairs)).await?;
                Ok(Outcome::Done {})
            }
            Operation::Append { .. }
            | Operation::Cas { .. }
            | Operation::Swap { .. }
            | Operation::Txn { .. } => self.run_script(connection, operation).await,
            _ => Err(refusals::unsupported(operation)),
        }
    }

    async fn run_script(
        &self,
        connection: &mut MultiplexedConnection,
        operation: &Operation,
    ) -> Result<Outcome, Refusal> {
        let text = serde_json::to_string(operation).map_err(refusals::not_sent)?;
        let mut invocation = self.script.prepare_invoke();
        for key in operation.keys() {
            invocation.key(key);
        }
        let answer: String =
            invocation.arg(text).invoke_async(connection).await.map_err(|error| refusal(&error))?;
        let answer: Value = serde_json::from_str(&answer).map_err(refusals::unknown)?;
        operation.parse_outcome(&answer).map_err(refusals::unknown)
    }
}

async fn query<T: FromRedisValue>(
    connection: &mut MultiplexedConnection,
    command: &Cmd,
) -> Result<T, Refusal> {
    command.query_async(connection).await.map_err(|error| refusal(&error))
}
