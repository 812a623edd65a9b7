// SPDX-License-Identifier: Apache-2.0
#include "viz/views/environment_page.hpp"

#include <QVBoxLayout>

#include "reports/compare/compare.hpp"
#include "viz/data/words.hpp"
#include "viz/models/tables.hpp"

namespace attnscope::viz {

EnvironmentPage::EnvironmentPage(Session& session, QWidget* parent)
    : Page(session, parent), m_warnings(new QLabel), m_rows(new RowsView(session, environmentColumns())) {
  m_warnings->setWordWrap(true);
  m_warnings->setTextFormat(Qt::PlainText);
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(m_warnings);
  layout->addWidget(m_rows, 1);
  connect(&session, &Session::baselineChanged, this, [this] { invalidate(); });
  connect(&session.library(), &Library::settled, this, [this] { invalidate(); });
}

void EnvironmentPage::refresh() {
  const DatasetPtr& dataset = session().dataset();
  if (!dataset) {
    m_warnings->setText(tr("Nothing is open."));
    return m_rows->setRows({});
  }
  QStringList warnings;
  if (const auto reason = reports::busy(*dataset->record)) warnings.append(words(*reason));
  const QString machine = machineOf(*dataset->record);
  for (const Loaded& file : session().library().files())
    if (file.dataset && !machine.isEmpty() && machineOf(*file.dataset->record) != machine)
      warnings.append(tr("times of %1 are not comparable with these: it was made on %2, not on %3")
                          .arg(file.dataset->name, machineName(*file.dataset->record), machineName(*dataset->record)));
  if (session().baseline())
    for (const std::string& reason : reports::incomparable(*session().baseline()->record, *dataset->record))
      warnings.append(tr("not comparable with the baseline: %1").arg(words(reason)));
  m_warnings->setText(warnings.isEmpty() ? tr("All open records come from one machine.")
                                         : QStringLiteral("⚠ ") + warnings.join(QStringLiteral("\n⚠ ")));
  m_rows->setRows(environmentRows(*dataset, session().baseline().get()));
}

}  // namespace attnscope::viz
