export { CollectorDouble, type ReceivedSpan } from './collector-double.js';
