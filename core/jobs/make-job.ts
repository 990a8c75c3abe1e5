import { asFailure, Failure } from '../failure.ts';
import { createRecord, type JobRecord } from './record/job-record.ts';
import { discardRecord } from './record/old-records.ts';
import { createTicket, removeTicket, type Ticket } from './record/ticket.ts';

/** Makes a job: its ticket and its record, or neither. Throws `io_error`, `disk_full`. */
export function makeJob(stateDirectory: string, record: JobRecord, ticket: Ticket): void {
  try {
    createTicket(stateDirectory, ticket);
    createRecord(stateDirectory, record);
  } catch (error) {
    const { code, message } = asFailure(error);
    unmakeJob(stateDirectory, record.id);
    throw new Failure(code, `the job cannot be recorded: ${message}`, {
      affected: [stateDirectory],
      advice: 'Make room, or write access, where the setting stateDirectory says; what is done in a terminal needs no record.',
      retry: true,
      cause: error,
    });
  }
}

/** Takes a job back that comes to nothing. Never throws. */
export function unmakeJob(stateDirectory: string, id: string): void {
  try {
    removeTicket(stateDirectory, id);
  } catch {
    // It counts for nobody after a minute.
  }
  discardRecord(stateDirectory, id);
}
