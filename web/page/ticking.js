/** What changes with time alone. */

import { Component } from "./preact.js";

const tickers = new Set();
let clock = null;

/** Calls `tick()` of an object every second while the page can be seen. Returns a function that ends that. */
export function everySecond(ticker) {
  tickers.add(ticker);
  clock ??= setInterval(() => {
    if (!document.hidden) { for (const it of tickers) it.tick(); }
  }, 1000);
  return () => tickers.delete(ticker);
}

/** A text that changes with time. It is drawn again only if it differs. */
export class Ticking extends Component {
  componentDidMount() {
    this.componentWillUnmount = everySecond(this);
  }
  tick() {
    if (this.props.text() !== this.told) this.setState({});
  }
  render() {
    return this.told = this.props.text();
  }
}
