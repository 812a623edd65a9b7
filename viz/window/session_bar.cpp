// SPDX-License-Identifier: Apache-2.0
#include "viz/window/session_bar.hpp"

#include <QSignalBlocker>
#include <QToolButton>
#include <algorithm>

#include "reports/figure/text.hpp"
#include "viz/data/words.hpp"

namespace attnscope::viz {

SessionBar::SessionBar(Session& session, QWidget* parent)
    : QToolBar(tr("Selection"), parent),
      m_session(session),
      m_datasets(new QComboBox),
      m_families(new QComboBox),
      m_contexts(new QSlider(Qt::Horizontal)),
      m_context(new QLabel),
      m_filter(new QLineEdit),
      m_methods(new QMenu(this)) {
  setObjectName(QStringLiteral("selection"));
  setMovable(false);
  m_datasets->setToolTip(tr("The record that is shown, or all records of one machine"));
  m_datasets->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_datasets->setMinimumContentsLength(18);
  m_families->setToolTip(tr("Phase, workload, shape and device: points that can share a figure"));
  m_families->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_families->setMinimumContentsLength(30);
  m_contexts->setToolTip(tr("Context length"));
  m_contexts->setTickPosition(QSlider::TicksBelow);
  m_contexts->setPageStep(1);
  m_contexts->setMinimumWidth(90);
  m_contexts->setMaximumWidth(160);
  m_context->setMinimumWidth(m_context->fontMetrics().horizontalAdvance(QStringLiteral("N 1024k ")));
  m_filter->setPlaceholderText(tr("Filter: words, -word"));
  m_filter->setToolTip(tr("Shows the points whose description has all words; -word: has it not (Ctrl+F, undo Ctrl+Z)"));
  m_filter->setClearButtonEnabled(true);
  m_filter->setMinimumWidth(120);
  auto* methods = new QToolButton;
  methods->setText(tr("Methods"));
  methods->setToolTip(tr("Which methods and backends are shown"));
  methods->setPopupMode(QToolButton::InstantPopup);
  methods->setMenu(m_methods);
  m_families->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  m_filter->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  for (QWidget* widget :
       std::initializer_list<QWidget*>{m_datasets, m_families, m_contexts, m_context, methods, m_filter})
    addWidget(widget);

  connect(&session.library(), &Library::filesChanged, this, &SessionBar::showDatasets);
  connect(&session.library(), &Library::settled, this, &SessionBar::showDatasets);
  connect(&session, &Session::datasetChanged, this, &SessionBar::showDatasets);
  connect(&session, &Session::viewChanged, this, &SessionBar::showFamilies);
  connect(&session, &Session::filterChanged, this, [this] {
    if (m_filter->text() != m_session.filter().text) m_filter->setText(m_session.filter().text);
  });
  connect(m_datasets, &QComboBox::activated, this, [this](int i) {
    const auto all = m_session.library().datasets();
    if (static_cast<std::size_t>(i) < all.size()) m_session.setDataset(all[static_cast<std::size_t>(i)]);
  });
  connect(m_families, &QComboBox::activated, this, [this](int i) { m_session.setFamily(static_cast<std::size_t>(i)); });
  connect(m_contexts, &QSlider::valueChanged, this,
          [this](int i) { m_session.setContext(m_session.contexts()[static_cast<std::size_t>(i)]); });
  connect(m_filter, &QLineEdit::textChanged, this, [this](const QString& text) {
    Filter filter = m_session.filter();
    filter.text = text;
    m_session.setFilter(filter);
  });
  connect(m_methods, &QMenu::aboutToShow, this, &SessionBar::fillMethodMenu);
  showDatasets();
  showFamilies();
}

void SessionBar::showDatasets() {
  m_datasets->clear();
  for (const DatasetPtr& one : m_session.library().datasets()) {
    m_datasets->addItem(one->name);
    m_datasets->setItemData(m_datasets->count() - 1, one->paths.join('\n'), Qt::ToolTipRole);
    if (one == m_session.dataset()) m_datasets->setCurrentIndex(m_datasets->count() - 1);
  }
  m_datasets->setEnabled(m_datasets->count() > 0);
}

void SessionBar::showFamilies() {
  m_families->clear();
  for (const reports::Facet& family : m_session.families()) m_families->addItem(words(family.title));
  m_families->setCurrentIndex(m_session.families().empty() ? -1 : static_cast<int>(m_session.familyIndex()));
  m_families->setEnabled(m_families->count() > 1);
  showContexts();
}

void SessionBar::showContexts() {
  const QSignalBlocker quiet(m_contexts);
  const auto& lengths = m_session.contexts();
  m_contexts->setRange(0, std::max(0, static_cast<int>(lengths.size()) - 1));
  m_contexts->setEnabled(lengths.size() > 1);
  const auto chosen = m_session.context();
  if (chosen) m_contexts->setValue(static_cast<int>(std::ranges::find(lengths, *chosen) - lengths.begin()));
  m_context->setText(chosen ? "N " + words(reports::binary(static_cast<double>(*chosen))) : QString());
}

void SessionBar::fillMethodMenu() {
  m_methods->clear();
  if (!m_session.dataset()) return;
  std::set<std::string> methods;
  std::set<Backend> backends;
  for (const record::Point& point : m_session.dataset()->record->points) {
    methods.insert(point.method);
    backends.insert(point.backend);
  }
  const auto add = [&](const auto& value, std::string_view text, auto Filter::*hidden) {
    QAction* action = m_methods->addAction(words(text));
    action->setCheckable(true);
    action->setChecked(!(m_session.filter().*hidden).contains(value));
    connect(action, &QAction::toggled, this, [this, value, hidden](bool shown) {
      Filter filter = m_session.filter();
      if (shown)
        (filter.*hidden).erase(value);
      else
        (filter.*hidden).insert(value);
      m_session.setFilter(filter);
    });
  };
  for (const std::string& method : methods) add(method, method, &Filter::hiddenMethods);
  m_methods->addSeparator();
  for (const Backend backend : backends) add(backend, to_string(backend), &Filter::hiddenBackends);
  m_methods->addSeparator();
  m_methods->addAction(tr("Show all"), this, [this] { m_session.setFilter({.text = m_session.filter().text}); });
}

}  // namespace attnscope::viz
