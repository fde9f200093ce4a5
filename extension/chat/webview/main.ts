import { receive, send } from './extension-link.js';
import { useLanguage } from './localization.js';
import { Panel } from './panel.js';

let panel: Panel | undefined;

receive((message) => {
  if (panel !== undefined) {
    panel.receive(message);
  } else if (message.type === 'state') {
    useLanguage(message.state.language, message.state.texts);
    panel = new Panel(message.state);
    document.body.append(panel.element);
    panel.start();
  }
});
send({ type: 'ready' });
